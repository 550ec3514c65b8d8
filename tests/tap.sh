# tap.sh - print TAP out of a shell script; each test calls it first with: . "${0%/*}/../tap.sh"
#
#   run CMD...              runs CMD for $LIMIT seconds (20) at most, and sets $rc $out $err
#   is NAME EXPECTED GOT    passes if the two texts are the same
#   like NAME GLOB GOT      passes if GOT matches the shell pattern
#   ok NAME CMD...          passes if CMD exits with 0
#   skip NAME REASON        prints that the test NAME cannot run here
#   wait_for CMD...         waits until CMD succeeds, but fails after 1000 tries
#   has_strace              succeeds if strace(1) can be used here
#   has_packets             succeeds unless fifow says that this kernel has no pipes of packets
#   box APPLET ARG...       runs an applet of $IPCBOX
#   as_nobody APPLET ARG... does what run box does as the user nobody, who may not see the tree;
#                           needs root
#   nobody CMD...           runs CMD as the user nobody; needs root and python3
#   held CALLS N [OPTION...] -- APPLET ARG...
#                           strace(1) starts an applet and holds it before its Nth call of CALLS,
#                           a list as for its option -e trace=; sets $pid
#   let_go                  lets it go on and waits for its end; sets what run sets. rc is
#                           "too late" if it was not held until now: then the race proves nothing
#   bg APPLET ARG...        runs an applet in the background, and sets $pid; the end of the test
#                           kills it. A shell without job control lets it ignore SIGINT: send SIGTERM
#
# NAME is a statement that makes sense alone in a log. A test runs in a directory of its own, $T,
# which is removed at the end. $room is the folder of the test's file, $top that of the source.

room=${0%/*}
case $room in /*) ;; *) room=$PWD/$room ;; esac
top=${room%/*/*}
: "${IPCBOX:=$top/ipcbox}" "${LIMIT:=20}"
T=$(mktemp -d "${TMPDIR:-/tmp}/ipcbox.XXXXXX") && cd "$T" || exit
N=0
PIDS=
trap 'kill $PIDS 2>/dev/null; rm -rf "$T"; echo "1..$N"' EXIT
trap 'exit 1' INT TERM

result() { N=$((N + 1)); echo "$1 $N - $2"; }
say() { printf '%s\n' "$@" | sed 's/^/#   /'; }
is() {
	if [ "$2" = "$3" ]; then result ok "$1"; else result 'not ok' "$1"; say expected: "$2" got: "$3"; fi
}
like() {
	# shellcheck disable=SC2254 # the pattern is the point
	case $3 in $2) result ok "$1" ;; *) result 'not ok' "$1"; say pattern: "$2" got: "$3" ;; esac
}
ok() {
	name=$1; shift
	"$@" >"$T/.ok" 2>&1 && { result ok "$name"; return; }
	set -- $? "$*"
	result 'not ok' "$name"; say "status $1 of: $2"; sed 's/^/#   /' "$T/.ok"
}
skip() { result ok "$1 # SKIP $2"; }
# Without PTRACE_GET_SYSCALL_INFO, which Linux has since 5.3, strace(1) needs a call of ptrace(2) for
# each word of registers. gVisor takes a tenth of a second for one system call then.
has_strace() {
	[ -z "$EMULATOR" ] && command -v strace >/dev/null && strace -d -o /dev/null true >"$T/.strace" 2>&1 &&
		! grep -q 'PTRACE_GET_SYSCALL_INFO does not work' "$T/.strace"
}
has_packets() {
	[ -p "$T/.packets" ] || mkfifo "$T/.packets"
	(exec 9<>"$T/.packets"; box fifow -F packet "$T/.packets" x 2>/dev/null)
	[ $? != 77 ]
}
box() { $EMULATOR "$IPCBOX" "$@"; }
bg() { $EMULATOR "$IPCBOX" "$@" & pid=$! PIDS="$PIDS $!"; }
run() {
	case $1 in box) shift; set -- $EMULATOR "$IPCBOX" "$@" ;; esac
	timeout "$LIMIT" "$@" >"$T/.out" 2>"$T/.err"
	rc=$? out=$(cat "$T/.out") err=$(cat "$T/.err")
}
# python3 -c "$be_nobody" CMD...: becomes the user nobody, and then CMD
be_nobody='import os, sys; os.setgroups([]); os.setgid(65534); os.setuid(65534)
os.execvp(sys.argv[1], sys.argv[1:])'
as_nobody() {
	cp "$IPCBOX" "$T/ipcbox.anyone" && chmod 755 "$T" "$T/ipcbox.anyone"
	run python3 -c "$be_nobody" $EMULATOR "$T/ipcbox.anyone" "$@"
}
nobody() { python3 -c "$be_nobody" "$@"; }
# The delay is as long as strace takes it: let_go ends it, no clock.
held() {
	calls=$1 when=$2; shift 2
	: >"$T/.calls"
	set -- -e trace="$calls" -e inject="$calls:delay_enter=4000000000:when=$when" "$@"
	its=strace
	for arg; do
		shift
		case $its$arg in strace--) its=box arg=$IPCBOX ;; esac
		set -- "$@" "$arg"
	done
	strace -D -f -o "$T/.calls" "$@" >"$T/.out" 2>"$T/.err" & pid=$! PIDS="$PIDS $!"
	wait_for is_held
	PIDS="$PIDS $(tracer)"
}
tracer() { sed -n 's/^TracerPid:[^0-9]*\([1-9]\)/\1/p' "/proc/$pid/status" 2>/dev/null; }
# The Nth call stands in the log, and has not returned. With -f its line is cut where another
# process makes a call, and its end is another line.
is_held() {
	awk -v calls="$calls" -v when="$when" '
		BEGIN { gsub(/[?]/, "", calls); gsub(/,/, "|", calls) }
		$0 ~ "^[0-9]+ +(" calls ")[(]" {
			name = $2; sub(/[(].*/, "", name)
			if (++n[$1, name] == when && / = /) late = 1
			else if (n[$1, name] == when) held = name
		}
		held && index($0, "<... " held " resumed>") { late = 1 }
		END { exit !held || late }' "$T/.calls"
}
# The end of strace lets a process go on that it holds (ptrace(2), "Death under ptrace").
let_go() {
	late='too late'
	if is_held && kill -KILL "$(tracer)" 2>/dev/null; then late=; fi
	wait "$pid"
	rc=$? out=$(cat "$T/.out") err=$(cat "$T/.err")
	rc=${late:-$rc}
}
# children_of PID: prints the pids of its children, or fails if it has none. pgrep(1) is not everywhere.
children_of() { sed -n "s/^\([0-9]*\) (.*) . $1 .*/\1/p" /proc/[0-9]*/stat 2>/dev/null | grep .; }
wait_for() {
	tries=0
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1)); [ $tries -lt 1000 ] || { say "in vain: $*"; return 1; }
		sleep 0.01
	done
}
