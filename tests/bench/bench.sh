#!/bin/sh
# bench.sh [DIR] - ipcbox beside the tools that one would take instead: make bench
#
#   BENCH='F1 C2'  only these lines (F1-F4 M1-M3 C1-C6 T1 S1-S4)
#   SIZE=1G        of the large files; the counts of messages follow
#   PAIRS=5        runs of each command after one to warm up
#
# A table on stdout; bench.json and, with gnuplot, bench.svg in DIR.  The commands of a line
# take turns, so that what else the machine does hits all of them.  A peer that is not
# installed is named; one that is three times slower than the best has its warm-up for a
# result.  A missed target is no failure: the status is 1 only if something could not run.
#
# Not pinned: processes that talk to each other, for some peers have threads.  Pinned to
# one processor: M3, C6 and S4, which measure single short processes.

# shellcheck disable=SC2317 # lines and their commands are called by name
set -u
: "${IPCBOX:=${0%/*}/../../ipcbox}" "${BENCH:=F1 F2 F3 F4 M1 M2 M3 C1 C2 C3 C4 C5 C6 T1 S1 S2 S3 S4}"
: "${SIZE:=1G}" "${PAIRS:=5}" "${MAKE:=make}" "${CC:=cc}"
IPCBOX=$(realpath "$IPCBOX") TOP=$(realpath "${0%/*}/../..") OUT=$(realpath "${1:-.}") || exit
LC_ALL=C
export IPCBOX LC_ALL

# --- where, and what remains of it: nothing -----------------------------------------

die() { echo "bench: $*" >&2; exit 1; }
have() { command -v "$1" >/dev/null 2>&1; }
fs_of() { df --output=fstype "$1" | tail -n 1; }

MEM='' DISK=''
cleanup() {
	if [ "$DISK" ]; then
		for m in "$DISK"/mnt.*; do [ ! -d "$m" ] || umount "$m" 2>/dev/null; done
	fi
	rm -rf ${MEM:+"$MEM"} ${DISK:+"$DISK"}
}
trap cleanup EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

disk=${TMPDIR:-/tmp}
[ "$(fs_of "$disk")" != tmpfs ] || disk=/var/tmp
mem=/dev/shm
[ -w $mem ] || mem=$disk
MEM=$(mktemp -d $mem/ipcbox-bench.XXXXXX) && DISK=$(mktemp -d "$disk/ipcbox-bench.XXXXXX") || exit
export MEM DISK

case $SIZE in
*[!0-9kMG]* | '') die "invalid SIZE: '$SIZE' (64M, 1G)" ;;
*k) SIZE=$((${SIZE%k} << 10)) ;;
*M) SIZE=$((${SIZE%M} << 20)) ;;
*G) SIZE=$((${SIZE%G} << 30)) ;;
esac
free_kib() { df -Pk "$1" | awk 'END { print $4 }'; }
room=$(free_kib "$MEM") avail=$(awk '/^MemAvailable/ { print $2 }' /proc/meminfo)
[ "$room" -le "$avail" ] || room=$avail
wanted=$SIZE
while [ $((SIZE >> 8)) -gt "$room" ] || [ $((SIZE >> 8)) -gt "$(free_kib "$DISK")" ]; do
	SIZE=$((SIZE / 2))
done
[ "$SIZE" -eq "$wanted" ] || echo "bench: files of $((SIZE >> 20)) MiB: there is no more room" >&2
MESSAGES=$((SIZE * 1000000 >> 30))
[ $MESSAGES -ge 1000 ] || MESSAGES=1000

# --- the stop watch -----------------------------------------------------------------

cat >"$MEM/tool.c" <<'END'
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static volatile pid_t group;

static int64_t now(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return ts.tv_sec * INT64_C(1000000000) + ts.tv_nsec;
}

static void fail(const char *what)
{
	perror(what);
	exit(1);
}

static void give_up(int sig)
{
	if (group > 0)
		kill(-group, SIGKILL);
	_exit(128 + sig);
}

/* The mean of count runs in ns.  Each is a process group, so that none of it survives;
 * an interactive shell's Ctrl-C comes through us. */
static void stopwatch(int count, char **argv)
{
	const char *fresh = getenv("FRESH");
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC), status;
	int64_t total = 0, start;

	signal(SIGINT, give_up), signal(SIGTERM, give_up), signal(SIGALRM, give_up);
	alarm(120);
	for (int i = 0; i < count; i++) {
		if (fresh)
			unlink(fresh);
		start = now(CLOCK_MONOTONIC);
		group = fork();
		if (group == 0) {
			setpgid(0, 0);
			signal(SIGINT, SIG_DFL), signal(SIGTERM, SIG_DFL);
			dup2(null, 1); /* our own is for the result */
			execvp(*argv, argv);
			fail(*argv);
		}
		while (waitpid(group, &status, 0) < 0 && errno == EINTR)
			;
		total += now(CLOCK_MONOTONIC) - start;
		kill(-group, SIGKILL);
		if (status)
			exit(1);
	}
	printf("%lld\n", (long long)(total / count));
}

/* What is resident when the process exits, in bytes: getrusage(2) would count the image
 * before the exec too. */
static void resident(char **argv)
{
	char path[64], line[128];
	long kib;
	int status;
	FILE *f;
	pid_t pid = fork();

	if (pid == 0) {
		close(1);
		open("/dev/null", O_WRONLY);
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		execvp(*argv, argv);
		fail(*argv);
	}
	waitpid(pid, &status, 0);
	ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)PTRACE_O_TRACEEXIT);
	do {
		ptrace(PTRACE_CONT, pid, NULL, NULL);
		if (waitpid(pid, &status, 0) < 0 || !WIFSTOPPED(status))
			exit(1);
	} while (status >> 8 != (SIGTRAP | PTRACE_EVENT_EXIT << 8));
	sprintf(path, "/proc/%d/smaps_rollup", (int)pid);
	f = fopen(path, "r");
	if (!f)
		fail(path);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "Rss: %ld", &kib) == 1)
			printf("%ld\n", kib * 1024);
	ptrace(PTRACE_CONT, pid, NULL, NULL);
	waitpid(pid, &status, 0);
}

static void put(long count, size_t size, int flags)
{
	static char buf[4096];

	if (flags && fcntl(1, F_SETFL, flags) < 0)
		fail("packets");
	memset(buf, 'x', sizeof(buf));
	while (count--)
		if (write(1, buf, size) != (ssize_t)size)
			fail("write");
}

static void get(size_t size)
{
	static char buf[4096];

	while (read(0, buf, size) > 0)
		;
}

static int compare(const void *a, const void *b)
{
	int64_t d = *(const int64_t *)a - *(const int64_t *)b;

	return (d > 0) - (d < 0);
}

/* From a record's time to its arrival here, percentile in ns.  "own": a record that we
 * write ourselves, else it carries time=SECONDS.NANOSECONDS. */
static void lag(int count, int percentile, const char *in, const char *out, int own)
{
	int64_t *ns = calloc(count, sizeof(*ns)), sent, end;
	int r = open(out, O_RDONLY), w = open(in, O_WRONLY);
	struct pollfd p = { r, POLLIN, 0 };
	char buf[4096], *text;
	ssize_t n;

	if (w < 0 || r < 0)
		fail("lag");
	alarm(60);
	for (int i = -10; i < count; i++) {
		do {
			n = sprintf(buf, "id=%d name=xiao sex=M\n", i);
			sent = now(CLOCK_REALTIME);
			if (write(w, buf, n) != n)
				fail("write");
		} while (!poll(&p, 1, 500) && i < 0);
		n = read(r, buf, sizeof(buf) - 1);
		end = now(CLOCK_REALTIME);
		if (n <= 0)
			fail("read");
		buf[n] = '\0';
		text = strstr(buf, "time=");
		if (text && !own)
			sent = strtoll(text + 5, &text, 10) * 1000000000 + atol(text + 1);
		if (i >= 0)
			ns[i] = end - sent;
	}
	qsort(ns, count, sizeof(*ns), compare);
	printf("%lld\n", (long long)ns[(long)count * percentile / 100]);
}

int main(int argc, char **argv)
{
	const char *verb = argc > 2 ? argv[1] : "";

	if (!strcmp(verb, "time"))
		stopwatch(atoi(argv[2]), argv + 3);
	else if (!strcmp(verb, "rss"))
		resident(argv + 2);
	else if (!strcmp(verb, "put"))
		put(atol(argv[2]), atol(argv[3]), 0);
	else if (!strcmp(verb, "put-packets"))
		put(atol(argv[2]), atol(argv[3]), O_DIRECT);
	else if (!strcmp(verb, "get"))
		get(atol(argv[2]));
	else if (!strcmp(verb, "lag"))
		lag(atoi(argv[2]), atoi(argv[3]), argv[4], argv[5], argc > 6);
	else
		return 2;
	return 0;
}
END
TOOL=$MEM/tool
export TOOL
$CC -O2 -o "$TOOL" "$MEM/tool.c" || die "can't compile the stop watch with '$CC'"

clock() { "$TOOL" time 1 "$@"; }
clock_sh() { "$TOOL" time 1 sh -c "$@"; }
pin=
! have taskset || pin="taskset -c $(awk '/^Cpus_allowed_list/ { n = split($2, a, /[,-]/); print a[n] }' /proc/self/status)"

# --- a line: its commands in turn, then the statistics ------------------------------

RESULTS=$MEM/results
: >"$RESULTS"
FAILED=0

# name median min max runs
statistics() {
	sort -k1,1 -k2,2n "$1" | awk '
		function flush() {
			if (n) printf "%s %.10g %s %s %d\n", name, (v[int((n + 1) / 2)] + v[int(n / 2) + 1]) / 2, v[1], v[n], n
		}
		$1 != name { flush(); n = 0; name = $1 }
		{ v[++n] = $2 }
		END { flush() }'
}

# Of the peers, all three times slower than the best but the one that the target names.
too_slow() {
	awk -v against="$2" '
		$1 != "ipcbox" { v[$1] = $2; if (!best || $2 < best) best = $2 }
		END { for (n in v) if (n != against && v[n] > 3 * best) printf " %s ", n }' "$1"
}

# What a peer needs is its name up to a comma: dd,direct
missing_peer() {
	case $1 in ipcbox | loop | packet-loop | while-read | fifo) return 1 ;; esac
	! have "${1%%,*}"
}

# contest ID TARGET AGAINST UNIT FUNCTION WORK [PEER...]
# AGAINST: a peer, or best; alone: TARGET is in UNIT (ns, bytes, count), no ratio.
contest() {
	id=$1 target=$2 against=$3 unit=$4 trial=$5 work=$6 state='' round=''
	shift 6
	[ ! -t 2 ] || printf '%s %s ...\r' "$id" "$work" >&2
	samples=$MEM/samples
	: >"$samples"
	: >"$samples.0"
	for peer in ipcbox "$@"; do
		if missing_peer "$peer"; then state="$state $peer:missing "; continue; fi
		if value=$($trial "$peer" </dev/null) && [ "$value" ]; then echo "$peer $value" >>"$samples.0"; else
			echo "bench: $id: $peer failed" >&2
			state="$state $peer:failed " FAILED=1
		fi
	done
	slow=$(too_slow "$samples.0" "$against")
	for round in $(seq "$PAIRS"); do
		for peer in ipcbox "$@"; do
			case $state in *" $peer:"*) continue ;; esac
			case $slow in *" $peer "*)
				[ "$round" -gt 1 ] || grep "^$peer " "$samples.0" >>"$samples"
				continue ;;
			esac
			if value=$($trial "$peer" </dev/null) && [ "$value" ]; then echo "$peer $value" >>"$samples"; else
				echo "bench: $id: $peer failed" >&2
				state="$state $peer:failed " FAILED=1
			fi
		done
	done
	{
		statistics "$samples"
		for s in $state; do echo "${s%:*} ${s#*:}"; done
	} | while read -r name median min max runs; do
		printf '%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n' "$id" "$work" "$unit" "$target" "$against" \
			"$name" "$median" "${min:-}" "${max:-}" "${runs:-0}"
	done >"$samples.out"
	cat "$samples.out" >>"$RESULTS"
	[ ! -t 2 ] || printf '\033[K' >&2
	awk -F '\t' -v form=table "$FORMATS" "$samples.out"
}

# once ID TARGET UNIT FUNCTION WORK: what does not vary, or is the sum of a long run
once() {
	if ! value=$($4 </dev/null) || [ -z "$value" ]; then
		FAILED=1 value=failed
	fi
	printf '%s\t%s\t%s\t%s\talone\tipcbox\t%s\t%s\t%s\t1\n' \
		"$1" "$5" "$3" "$2" "$value" "$value" "$value" | tee -a "$RESULTS" |
		awk -F '\t' -v form=table "$FORMATS"
	[ ! -f "$MEM/note" ] || sed 's/^/      /' "$MEM/note"
	rm -f "$MEM/note"
}

# Of the results: the table of one line, the JSON of all, or the bars of the picture.
# The one that the target is about: the best of the peers, or the one that AGAINST names.
# shellcheck disable=SC2016 # awk, not shell
FORMATS='
function text(v) {
	if (unit == "bytes") return sprintf("%d", v)
	if (unit == "count") return sprintf("%.4g", v)
	if (v < 1e3) return sprintf("%.3g ns", v)
	if (v < 1e6) return sprintf("%.3g us", v / 1e3)
	if (v < 9995e5) return sprintf("%.3g ms", v / 1e6)
	return sprintf("%.3g s", v / 1e9)
}
function quote(s) { gsub(/["\\]/, "\\\\&", s); return "\"" s "\"" }
function spread(i) {
	if (med[i] !~ /^[0-9]/) return med[i]
	if (runs[i] == 1) return text(med[i]) " (1 run)"
	return text(med[i]) " (" text(low[i]) " .. " text(high[i]) ")"
}
function finish(   i, us, them, r) {
	us = them = 0
	for (i = 1; i <= n; i++) {
		if (med[i] !~ /^[0-9]/) continue
		if (name[i] == "ipcbox") us = i
		else if (against == name[i] || (against == "best" && (!them || med[i] < med[them]))) them = i
	}
	r = !us ? -1 : against == "alone" ? med[us] : them && med[them] > 0 ? med[us] / med[them] : -1
	verdict = r < 0 ? "unknown" : r <= target ? "met" : "missed"
	if (form == "table") {
		printf "%-3s %s\n", id, work
		if (us && against == "alone")
			printf "      %-14s %-34s        <= %-8s %s\n", "ipcbox", spread(us), text(target), verdict
		else if (us)
			printf "      %-14s %s\n", "ipcbox", spread(us)
		for (i = 1; i <= n; i++) {
			if (i == us) continue
			if (med[i] !~ /^[0-9]/) {
				printf "      %-14s %s\n", name[i], med[i]
				continue
			}
			printf "      %-14s %-34s", name[i], spread(i)
			if (us && med[i] > 0) printf " %6.2f", med[us] / med[i]
			if (i == them) printf " <= %-8s %s", target, verdict
			print ""
		}
	} else if (form == "bars" && r >= 0 && target > 0) {
		printf "\"%s%s\" %.4g %s\n", id, (seen[id]++ ? sprintf("%c", 96 + seen[id]) : ""), r / target,
			(verdict == "met" ? "0x2e8b57" : "0xc0392b")
	} else if (form == "json") {
		printf "%s\n  {\"id\":%s,\"work\":%s,\"unit\":%s,\"target\":%s,\"against\":%s,\"ratio\":%s,\"verdict\":%s,\"runs\":[",
			(count++ ? "," : ""), quote(id), quote(work), quote(unit), target,
			quote(them ? name[them] : against),
			(r < 0 || against == "alone" ? "null" : sprintf("%.4g", r)), quote(verdict)
		for (i = 1; i <= n; i++)
			if (med[i] !~ /^[0-9]/)
				printf "%s{\"name\":%s,\"state\":%s}", (i > 1 ? "," : ""), quote(name[i]), quote(med[i])
			else
				printf "%s{\"name\":%s,\"median\":%s,\"min\":%s,\"max\":%s,\"runs\":%d}", (i > 1 ? "," : ""),
					quote(name[i]), med[i], low[i], high[i], runs[i]
		printf "]}"
	}
	n = 0
}
NR > 1 && $1 $2 != key { finish() }
{
	key = $1 $2; id = $1; work = $2; unit = $3; target = $4; against = $5
	name[++n] = $6; med[n] = $7; low[n] = $8; high[n] = $9; runs[n] = $10
}
END { if (n) finish() }'

# --- FIFOs --------------------------------------------------------------------------

large() {
	[ -f "$1" ] || head -c "$SIZE" /dev/urandom >"$1" || die "can't fill '$1'"
}
# What the warm-up brought has to be right; looking each time takes too long.
same() { [ "$round" ] || cmp "$1/src" "$1/dst" >&2; }
new_fifo() { rm -f "$MEM/fifo"; mkfifo "$MEM/fifo"; }

# through TOOL OUT: the two commands of each tool; the reader's status counts too.
through() {
	new_fifo
	f=$MEM/fifo
	# The output of the last run is not this one's to free.
	[ "$2" = /dev/null ] || rm -f "$2"
	case $1 in
	ipcbox) set -- "$IPCBOX fifor -r -e exit $f" "$IPCBOX fifow -r $f" "$2" ;;
	cat) set -- "cat $f" "cat" "$2" ;;
	dd) set -- "dd bs=64k status=none if=$f" "dd bs=64k status=none" "$2" ;;
	pv) set -- "pv -q $f" "pv -q" "$2" ;;
	busybox) set -- "busybox cat $f" "busybox cat" "$2" ;;
	toybox) set -- "toybox cat $f" "toybox cat" "$2" ;;
	mbuffer) set -- "mbuffer -q -i $f" "mbuffer -q" "$2" ;;
	socat) set -- "socat -u OPEN:$f,rdonly -" "socat -u - OPEN:$f,wronly" "$2" ;;
	esac
	case $2 in *"$f"*) to= ;; *) to=">$f" ;; esac
	clock_sh "$1 >$3 & $2 <$MEM/src $to && wait \$!"
}
to_null() { through "$1" /dev/null; }
to_file() {
	through "$1" "$MEM/dst" && same "$MEM"
}

peers='pv cat dd busybox toybox socat mbuffer'
mib=$((SIZE >> 20))
line_F1() {
	large "$MEM/src"
	# shellcheck disable=SC2086 # a list
	contest F1 0.35 best ns to_null "$mib MiB of tmpfs through a FIFO to /dev/null" $peers
}
line_F2() {
	large "$MEM/src"
	# shellcheck disable=SC2086
	contest F2 0.6 best ns to_file "$mib MiB of tmpfs through a FIFO to tmpfs" $peers
	rm -f "$MEM/dst"
}

# A packet is one write and one read by nature, so that the packet-loop is as fast as it can
# be; lines go many at a time.  socat does a tenth of them, the shell a hundredth.
messages() {
	new_fifo
	f=$MEM/fifo
	case $1 in
	ipcbox)
		clock_sh "$IPCBOX fifor -e exit -o plain $f >$MEM/dst & $IPCBOX fifow $frame $f - <$MEM/lines && wait \$!" &&
			cmp "$MEM/lines" "$MEM/dst" >&2 ;;
	loop) clock_sh "$TOOL get 64 <$f & $TOOL put $MESSAGES 64 >$f && wait \$!" ;;
	packet-loop) clock_sh "$TOOL get 64 <$f & $TOOL put-packets $MESSAGES 64 >$f && wait \$!" ;;
	socat)
		few=$((MESSAGES / 10))
		ns=$(clock_sh "socat -u -b 64 OPEN:$f,rdonly - >$MEM/dst & head -n $few $MEM/lines | socat -u -b 64 - OPEN:$f,wronly && wait \$!") &&
			echo $((ns * 10)) ;;
	while-read)
		few=$((MESSAGES / 100))
		ns=$(clock_sh "while read -r l; do printf '%s\n' \"\$l\"; done <$f >$MEM/dst & head -n $few $MEM/lines >$f && wait \$!") &&
			echo $((ns * 100)) ;;
	esac
}
line_F3() {
	awk -v n=$MESSAGES 'BEGIN { while (n-- > 0) printf "%063d\n", n }' >"$MEM/lines"
	frame=
	contest F3 1.3 loop ns messages "$MESSAGES messages of 64 bytes, lines in, packets between, lines out" \
		loop packet-loop socat while-read
	frame='-F line'
	contest F3 1.3 loop ns messages "$MESSAGES messages of 64 bytes, lines in, lines between, lines out" loop
	rm -f "$MEM/lines" "$MEM/dst"
}

# Processor time in ms, whole, over 10 s, of all of them.
idle() (
	pids=
	trap 'kill $pids 2>/dev/null' EXIT
	trap 'exit 1' INT TERM
	new_fifo
	mkfifo "$MEM/fifo2" "$MEM/fifo3"
	"$IPCBOX" mmapw "$MEM/board" id=1 || exit
	"$IPCBOX" fifow "$MEM/fifo" x & pids=$!
	"$IPCBOX" fifor "$MEM/fifo2" >/dev/null & pids="$pids $!"
	"$IPCBOX" mmapr -f "$MEM/board" >/dev/null & pids="$pids $!"
	"$IPCBOX" pipecap -q -s max --hold -f "$MEM/fifo3" & pids="$pids $!"
	sleep 1
	for p in $pids; do cat "/proc/$p/schedstat"; done >"$MEM/idle0" || exit
	sleep 10
	for p in $pids; do cat "/proc/$p/schedstat"; done >"$MEM/idle1" || exit
	rm -f "$MEM/fifo2" "$MEM/fifo3" "$MEM/board"
	paste "$MEM/idle0" "$MEM/idle1" | awk -v note="$MEM/note" '
		{ ns += $4 - $1; runs = runs " " $6 - $3 }
		END { print "they ran" runs " times" >note; print int(ns / 1e6) }'
)
line_F4() {
	once F4 0 count idle 'fifow, fifor, mmapr -f, pipecap --hold wait 10 s: ms of processor time'
}

# --- boards -------------------------------------------------------------------------

lag() (
	pids=
	trap 'kill $pids 2>/dev/null' EXIT
	trap 'exit 1' INT TERM
	new_fifo
	rm -f "$MEM/out" && mkfifo "$MEM/out" || exit
	case $1 in
	ipcbox)
		"$IPCBOX" mmapw "$MEM/board" id=1 || exit
		"$IPCBOX" mmapw "$MEM/board" - <"$MEM/fifo" & pids=$!
		"$IPCBOX" mmapr -f -o time,id,name,sex "$MEM/board" >"$MEM/out" & pids="$pids $!"
		"$TOOL" lag 2000 "$percentile" "$MEM/fifo" "$MEM/out" ;;
	cat)
		cat "$MEM/fifo" >"$MEM/out" & pids=$!
		"$TOOL" lag 2000 "$percentile" "$MEM/fifo" "$MEM/out" own ;;
	esac
)
line_M1() {
	percentile=50
	contest M1 1.0 cat ns lag 'a record from its publication to the output, p50' cat
	percentile=99
	contest M1 1.0 cat ns lag 'a record from its publication to the output, p99' cat
	rm -f "$MEM/board"
}

# ns for each publication
publish() (
	pids=
	trap 'kill $pids 2>/dev/null' EXIT
	trap 'exit 1' INT TERM
	new_fifo
	case $1 in
	ipcbox)
		"$IPCBOX" mmapw "$MEM/board" id=1 || exit
		for i in 1 2 3 4; do
			"$IPCBOX" mmapr -f "$MEM/board" >/dev/null & pids="$pids $!"
		done
		ns=$(clock_sh "$IPCBOX mmapw $MEM/board - <$MEM/lines") ;;
	loop) ns=$(clock_sh "$TOOL get 28 <$MEM/fifo & $TOOL put $MESSAGES 28 >$MEM/fifo && wait \$!") ;;
	cat) ns=$(clock_sh "cat $MEM/fifo >/dev/null & $IPCBOX fifow $MEM/fifo - <$MEM/lines && wait \$!") ;;
	esac && echo $((ns / MESSAGES))
)

# The reader that mmapr --emit-c gives away, without its CRC: what it calls whole has to be.
torn() (
	pid=
	trap 'kill $pid 2>/dev/null' EXIT
	trap 'exit 1' INT TERM
	b=$MEM/board-torn
	"$IPCBOX" mmapw -S 'a:u32[8]' "$b" a=0,0,0,0,0,0,0,0 && "$IPCBOX" mmapr --emit-c "$b" >"$MEM/board.h" &&
		cat >"$MEM/torn.c" <<-'END' && $CC -O2 -o "$MEM/torn" "$MEM/torn.c" || exit
		#include <stdio.h>
		#include <stdlib.h>
		#include "board.h"
		int main(int argc, char **argv)
		{
			long reads = argc > 2 ? atol(argv[2]) : 0, torn = 0, again = 0;
			uint32_t copy[BOARD_WORDS], n, first, last;
			struct board b;
			if (board_open(&b, argv[1], 0))
				return 1;
			first = last = board_seq(&b);
			for (long i = 0; i < reads; ) {
				n = board_seq(&b);
				for (unsigned k = 0; k < BOARD_WORDS; k++)
					copy[k] = __atomic_load_n(board_slot(&b, n) + k, __ATOMIC_RELAXED);
				__atomic_thread_fence(__ATOMIC_ACQUIRE);
				if (board_seq(&b) - n >= b.slots - 1 && ++again)
					continue;
				for (unsigned k = 9; k < 16; k++)
					if (copy[k] != copy[8]) {
						torn++;
						break;
					}
				last = n;
				i++;
			}
			fprintf(stderr, "%u publications; %ld reads tried again\n",
				(unsigned)(last - first), again);
			return printf("%ld\n", torn) < 0 || last == first;
		}
		END
	awk 'BEGIN { for (i = 0; i < 1000000; i++) { s = i; for (k = 1; k < 8; k++) s = s "," i; print "a=" s } }' >"$MEM/lines8"
	(while cat "$MEM/lines8" 2>/dev/null; do :; done) | "$IPCBOX" mmapw "$b" - & pid=$!
	sleep 0.2
	"$MEM/torn" "$b" $((SIZE * 100000000 >> 30)) 2>"$MEM/note"
)
line_M2() {
	awk -v n=$MESSAGES 'BEGIN { for (i = 0; i < n; i++) print "id=" i }' >"$MEM/lines"
	contest M2 0.2 loop ns publish 'a publication of mmapw -, 4 readers; a FIFO, one reader' loop cat
	rm -f "$MEM/lines" "$MEM/board"
	once M2 0 count torn "torn records in $((SIZE * 100000000 >> 30)) reads"
	rm -f "$MEM"/lines8 "$MEM"/board*
}

# Short processes: the mean of many is one run.
show() {
	case $1 in
	ipcbox) set -- "$IPCBOX" mmapr -1 "$MEM/board" ;;
	busybox) set -- busybox cat "$MEM/board" ;;
	esac
	$pin "$TOOL" time 500 "$@"
}
line_M3() {
	"$IPCBOX" mmapw "$MEM/board" id=1 || { FAILED=1; return; }
	contest M3 1.1 busybox ns show 'mmapr -1 FILE; busybox cat FILE: the whole process' busybox
	rm -f "$MEM/board"
}

# --- copies -------------------------------------------------------------------------

# Nothing of the last run may be on its way to the disk, or in the way.
afresh() {
	rm -f "$dir/dst"
	[ "$dir" = "$MEM" ] || sync -f "$dir"
}
drop() { dd if="$1" iflag=nocache count=0 status=none; }
copy() {
	afresh
	case $1 in
	ipcbox) clock "$IPCBOX" pcopy -q --no-sync "$dir/src" "$dir/dst" ;;
	cp) clock cp "$dir/src" "$dir/dst" ;;
	dd) clock dd bs=1M status=none if="$dir/src" of="$dir/dst" ;;
	busybox | toybox) clock "$1" cp "$dir/src" "$dir/dst" ;;
	esac && same "$dir"
}
durable() {
	afresh
	[ ! "$cold" ] || drop "$dir/src"
	case $1 in
	ipcbox) clock "$IPCBOX" pcopy -q "$dir/src" "$dir/dst" ;;
	cp) clock_sh "cp $dir/src $dir/dst && sync $dir/dst" ;;
	dd) clock dd bs=1M conv=fsync status=none if="$dir/src" of="$dir/dst" ;;
	dd,direct) clock dd bs=1M oflag=direct conv=fsync status=none if="$dir/src" of="$dir/dst" ;;
	esac && same "$dir"
}
verified() {
	afresh
	case $1 in
	ipcbox) clock "$IPCBOX" pcopy -q -y "$dir/src" "$dir/dst" ;;
	cp) clock_sh "cp $dir/src $dir/dst && sync $dir/dst && dd if=$dir/dst iflag=nocache count=0 status=none && cmp $dir/src $dir/dst" ;;
	esac
}
line_C1() {
	for dir in "$DISK" "$MEM"; do
		large "$dir/src"
		contest C1 1.0 cp ns copy "pcopy --no-sync, $mib MiB, cache warm, $(fs_of "$dir")" cp dd busybox toybox
		rm -f "$dir/dst"
	done
}
on_disk() { dir=$DISK cold=''; large "$dir/src"; sync -f "$dir"; }
line_C2() {
	on_disk
	contest C2 0.4 cp ns durable "pcopy, durable; cp and sync: $mib MiB, cache warm, $(fs_of "$dir")" cp dd dd,direct
}
line_C3() {
	on_disk
	cold=1
	contest C3 0.6 cp ns durable "pcopy, durable; cp and sync: $mib MiB, cache cold, $(fs_of "$dir")" cp
}
line_C4() {
	on_disk
	contest C4 0.5 cp ns verified "pcopy -y; cp, sync, drop, cmp: $mib MiB, $(fs_of "$dir")" cp
}

reflink() {
	rm -f "$dir/dst"
	case $1 in
	ipcbox) clock "$IPCBOX" pcopy -q --no-sync --reflink=always "$dir/src" "$dir/dst" ;;
	cp) clock cp --reflink=always "$dir/src" "$dir/dst" ;;
	esac
}
sparse() {
	afresh
	case $1 in
	ipcbox) clock "$IPCBOX" pcopy -q --no-sync "$dir/sparse" "$dir/dst" ;;
	cp) clock cp "$dir/sparse" "$dir/dst" ;;
	esac && [ "$(du -k "$dir/dst" | cut -f1)" -lt 20480 ]
}
line_C5() {
	for fs in btrfs xfs; do
		dir=$DISK/mnt.$fs
		if ! have mkfs.$fs; then
			echo "C5  reflink on $fs: no mkfs.$fs"
		elif ! mkdir "$dir" || ! truncate -s $((SIZE / 4 + (512 << 20))) "$DISK/$fs.img" ||
			! mkfs.$fs -q "$DISK/$fs.img" >"$MEM/mkfs" 2>&1 || ! mount -o loop "$DISK/$fs.img" "$dir" 2>"$MEM/mkfs"; then
			echo "C5  reflink on $fs: can't mount one here: $(tail -n 1 "$MEM/mkfs")"
		else
			head -c $((SIZE / 4)) /dev/urandom >"$dir/src"
			sync -f "$dir"
			contest C5 1.1 cp ns reflink "reflink of $((mib / 4)) MiB on $fs" cp
			umount "$dir"
		fi
		rm -f "$DISK/$fs.img"
		[ ! -d "$dir" ] || rmdir "$dir"
	done
	dir=$DISK
	truncate -s 10G "$dir/sparse"
	for at in 0 1 2 3 4 5 6 7 8 9; do
		head -c 1M /dev/urandom | dd of="$dir/sparse" bs=1M seek=$((at * 1000)) conv=notrunc iflag=fullblock status=none
	done
	contest C5 1.1 cp ns sparse "10 GiB sparse with 10 MiB of data, $(fs_of "$dir")" cp
	rm -f "$dir/sparse" "$dir/dst"
}

small() {
	case $1 in
	ipcbox) set -- "$IPCBOX" pcopy -q --no-sync "$DISK/small" "$DISK/dst" ;;
	busybox | cp) [ "$1" = cp ] || set -- busybox cp; set -- "$@" "$DISK/small" "$DISK/dst" ;;
	esac
	FRESH=$DISK/dst $pin "$TOOL" time 200 "$@"
}
line_C6() {
	head -c 4096 /dev/urandom >"$DISK/small"
	contest C6 1.2 busybox ns small "pcopy --no-sync of 4 KiB, the whole process, $(fs_of "$DISK")" busybox cp
	rm -f "$DISK/small" "$DISK/dst"
}

# --- tests, size, start -------------------------------------------------------------

# A case may fail on a busy machine: the time is the question here.
# shellcheck disable=SC2016 # of the inner shell
cases() { clock_sh '"$IPCBOX" pipetest -q >/dev/null; [ $? -le 1 ]'; }
line_T1() {
	PAIRS=3
	contest T1 5e9 alone ns cases 'pipetest, all default cases'
	PAIRS=$pairs
}

built() {
	o=$DISK/build
	rm -rf "$o"
	{
		$MAKE -C "$TOP" -s O="$o" "$config" &&
			sed -i "s/^CONFIG_$without=y/# CONFIG_$without is not set/" "$o/.config" &&
			$MAKE -C "$TOP" -s -j2 O="$o" "$o/ipcbox"
	} >"$MEM/build" 2>&1 || { cat "$MEM/build" >&2; return 1; }
	wc -c <"$o/ipcbox"
	rm -rf "$o"
}
line_S1() {
	config=defconfig without=PIPETEST
	once S1 65536 bytes built 'size of the six applets with every feature'
}
line_S2() {
	config=defconfig without=NONE
	once S2 196608 bytes built 'size with pipetest'
}
line_S3() {
	config=minimal_defconfig without=NONE
	once S3 32768 bytes built 'size of minimal_defconfig'
}

start() {
	case $1 in ipcbox) set -- "$IPCBOX" --version ;; busybox) set -- busybox true ;; esac
	$pin "$TOOL" time 1000 "$@"
}
memory() {
	case $1 in ipcbox) set -- "$IPCBOX" --version ;; busybox) set -- busybox true ;; esac
	"$TOOL" rss "$@"
}
line_S4() {
	contest S4 1.1 busybox ns start 'start: ipcbox --version; busybox true' busybox
	contest S4 1.1 busybox bytes memory 'resident memory of the same' busybox
}

# --- the run ------------------------------------------------------------------------

pairs=$PAIRS
governor=$(cat /sys/devices/system/cpu/cpu0/cpufreq/scaling_governor 2>/dev/null)
cpu=$(awk -F ': ' '/^model name|^Hardware|^cpu\t/ { print $2; exit }' /proc/cpuinfo)
cat <<END
machine   $(uname -m), $(nproc) processors, ${cpu:-unknown}
kernel    $(uname -sr); page size $(getconf PAGESIZE); governor ${governor:-unknown}; load $(cut -d' ' -f1-3 /proc/loadavg)
files     $mib MiB on $(fs_of "$MEM") in $MEM and on $(fs_of "$DISK") in $DISK
runs      1 to warm up, then $PAIRS in turn: median (min .. max); pinned: M3 C6 S4
ratio     ipcbox / the other: smaller is better; then the target
END
for line in $BENCH; do
	case $line in
	F[1-4] | M[1-3] | C[1-6] | T1 | S[1-4]) line_"$line" ;;
	*) die "no line '$line'" ;;
	esac
done

mkdir -p "$OUT"
{
	printf '{"machine":"%s","cpu":"%s","processors":%d,"kernel":"%s","page_size":%d,"governor":"%s","file_size":%s,"pairs":%d,"lines":[' \
		"$(uname -m)" "${cpu:-unknown}" "$(nproc)" "$(uname -sr)" "$(getconf PAGESIZE)" "${governor:-unknown}" "$SIZE" "$PAIRS"
	awk -F '\t' -v form=json "$FORMATS" "$RESULTS"
	echo ']}'
} >"$OUT/bench.json.new" && mv "$OUT/bench.json.new" "$OUT/bench.json" || exit
awk -F '\t' -v form=bars "$FORMATS" "$RESULTS" >"$MEM/bars"
if ! have gnuplot; then
	echo "written   $OUT/bench.json; no gnuplot, no bench.svg"
elif [ -s "$MEM/bars" ] && gnuplot >"$MEM/gnuplot" 2>&1 <<END; then
set terminal svg size 900,420 background 'white'
set output '$OUT/bench.svg.new'
set title 'ipcbox: result / target ($(uname -m), $(uname -sr))'
set ylabel '1 = the target; lower is better'
set logscale y
set grid ytics
set style fill solid
set boxwidth 0.7
unset key
plot '$MEM/bars' using 0:2:3:xtic(1) with boxes linecolor rgb variable, 1 with lines linecolor 'black'
END
	mv "$OUT/bench.svg.new" "$OUT/bench.svg"
	echo "written   $OUT/bench.json $OUT/bench.svg"
else
	echo "written   $OUT/bench.json"
fi
exit $FAILED
