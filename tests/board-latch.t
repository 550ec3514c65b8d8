#!/bin/sh
# The latch: a model of it, a stress of it, and what it does when its writer is killed.
. "${0%/*}/tap.sh"

# The model checker must find nothing, and must find what is wrong in the two broken ones.
model() {
	rm -f pan*
	spin -a "$@" "$tests/latch.pml" >spin.log && cc -O2 -DSAFETY -o pan pan.c && timeout 60 ./pan -m1000000 >pan.log
	sed -n 's/.*errors: //p' pan.log
}
if command -v spin >/dev/null && command -v cc >/dev/null; then
	is 'no execution of the model is torn, 2 slots' 0 "$(model)"
	is '4 slots' 0 "$(model -DNSLOTS=4)"
	is 'without the release fence one is' 1 "$(model -DFENCE=0)"
	is 'if readers accept one publication more, one is' 1 "$(model -DLATE=0)"
	is 'also with 4 slots' 1 "$(model -DNSLOTS=4 -DLATE=0)"
else
	skip 'no execution of the model is torn' 'no spin'
fi

# A record filled with one number shows tearing.  The writer, a C program that knows only
# the header of --emit-c, writes as fast as it can and is killed at random; readers of both
# kinds look on.  Its successor must go on with the next number.
if ! command -v cc >/dev/null; then
	skip 'no torn record' 'no cc'
	exit
fi
box mmapw -S 'a:u32[64]' b - </dev/null
# Without the CRC, which would hide what the latch lets through.
box mmapr --emit-c b | sed 's/ && copy.1. == board_crc(r, sizeof(.r))//' >board.h
cat >stress.c <<'END'
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include "board.h"

static void die(const char *why, uint32_t a, uint32_t b)
{
	printf("%s %u %u\n", why, a, b);
	exit(1);
}

static void writer(const char *path)
{
	struct board b;
	struct board_record r;

	if (board_open(&b, path, 1))
		_exit(3);
	for (;;) {
		for (int i = 0; i < 64; i++)
			r.a[i] = board_seq(&b) + 1;
		board_write(&b, &r);
	}
}

static void reader(const char *path, int ms)
{
	struct board b;
	struct board_record r;
	struct timespec start, now;
	uint32_t last = 0, reads = 0, busy = 0;

	if (board_open(&b, path, 0))
		die("can't open", 0, 0);
	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		int rc = board_read(&b, &r);

		if (rc < 0) {
			busy++;
			continue;
		}
		reads++;
		for (int i = 1; rc > 0 && i < 64; i++)
			if (r.a[i] != r.a[0])
				die("torn", r.a[0], r.a[i]);
		if (rc > 0 && r.a[0] < last)
			die("went back", last, r.a[0]);
		last = rc > 0 ? r.a[0] : 0;
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((now.tv_sec - start.tv_sec) * 1000 + (now.tv_nsec - start.tv_nsec) / 1000000 < ms);
	if (reads < 1000 || !last)
		die("too few reads", reads, busy);
	_exit(0);
}

int main(int argc, char **argv)
{
	int ms = atoi(argv[2]), status, kills = 0, bad = 0;
	pid_t readers[2], pid;

	srandom(argc > 3 ? atoi(argv[3]) : 1);
	for (int i = 0; i < 2; i++)
		if (!(readers[i] = fork()))
			reader(argv[1], ms);
	while (waitpid(readers[0], &status, WNOHANG) == 0) {
		if (!(pid = fork()))
			writer(argv[1]);
		poll(NULL, 0, random() % 8);
		kill(pid, SIGKILL);
		waitpid(pid, &bad, 0);
		if (!WIFSIGNALED(bad))
			die("the next writer could not begin", bad, kills);
		kills++;
	}
	waitpid(readers[1], &bad, 0);
	printf("%s\n", status || bad ? "bad" : kills < 20 ? "too few kills" : "whole");
	return status || bad;
}
END
cc -O2 -Wall -Wextra -o stress stress.c || exit
$EMULATOR "$IPCBOX" mmapr -f -F '%{a}\n' b >lines 2>err &
pid=$!
$EMULATOR "$IPCBOX" mmapw b </dev/null "a=$(yes 0 | head -n 64 | paste -sd,)"
$EMULATOR "$IPCBOX" mmapr -i 0 -F '' b 2>err2 &
pid2=$!
is 'no record is torn while writers are killed at random' whole "$(timeout 60 ./stress b "${STRESS_MS:-4000}" "$(date +%S)")"
kill $pid
wait $pid 2>/dev/null
kill $pid2
wait $pid2 2>/dev/null
is 'mmapr, at full speed, saw none' '143 ' "$? $(cat err2)"
is 'mmapr -f saw none either' '' "$(awk -F, 'NF { for (i = 2; i <= NF; i++) if ($i != $1) print }' lines | head -n 3; cat err)"
ok 'but saw many' test "$(wc -l <lines)" -gt 1000
run box mmapr --check b
is 'the board is whole afterwards' '0 ' "$rc $err"

# mmapw itself, killed at random: numbers go on without a gap, the record is one of its own.
cat >kill.py <<'END'
import os, random, signal, subprocess, sys, time
box, count = sys.argv[1].split(), int(sys.argv[2])
random.seed()
last = 0
for i in range(count):
    w = subprocess.Popen(box + ['mmapw', '-i', '0', 'k'])
    time.sleep(random.random() / 50)
    w.send_signal(signal.SIGKILL)
    w.wait()
    if not os.path.exists('k'):
        continue
    r = subprocess.run(box + ['mmapr', '-1', '-F', '%{seq} %{id} %{name} %{sex}', 'k'], capture_output=True)
    if r.returncode == 3 and not last:
        continue
    seq, id, *rest = r.stdout.decode().split(' ')
    assert r.returncode == 0 and rest == ['xiao', 'bai', 'M'] and int(seq) >= last, (r, last)
    last = int(seq)
assert [n for n in os.listdir() if n.startswith('.mmapw')] == [] or last, 'temporary files'
print('went on' if last > count else last)
END
if command -v python3 >/dev/null; then
	is 'mmapw killed at random: the next goes on' 'went on' "$(timeout 60 python3 kill.py "$EMULATOR $IPCBOX" 60 2>&1 | tail -n 1)"
fi

# mmapw, one instruction after the other, from its lock to its end: were it killed there, a
# reader would find the last complete record, as the file alone decides what readers see.
cat >step.c <<'END'
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include "board.h"

int main(int argc, char **argv)
{
	struct board b;
	struct board_record r;
	char path[64], line[256];
	int status, stepping = 0, changes = 0;
	uint32_t last[256], first;
	pid_t pid;

	if (argc < 4 || board_open(&b, argv[1], 0))
		return 1;
	memcpy(last, b.map, sizeof(last));
	first = board_seq(&b);
	pid = fork();
	if (!pid) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		execvp(argv[2], argv + 2);
		_exit(127);
	}
	snprintf(path, sizeof(path), "/proc/%d/syscall", (int)pid);
	while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
		FILE *f = stepping ? NULL : fopen(path, "r");

		if (f) {
			if (fgets(line, sizeof(line), f) && atoi(line) == SYS_setitimer)
				stepping = 1;
			fclose(f);
		}
		if (memcmp(last, b.map, sizeof(last))) {
			changes++;
			memcpy(last, b.map, sizeof(last));
			if (board_read(&b, &r) != 1 || r.a[0] != r.a[63] || r.a[0] - board_seq(&b) != 100)
				return printf("change %d: seq %u, record %u to %u\n", changes,
					board_seq(&b), r.a[0], r.a[63]), 1;
		}
		ptrace(stepping ? PTRACE_SINGLESTEP : PTRACE_SYSCALL, pid, NULL, NULL);
	}
	printf("%s\n", changes > 64 && board_seq(&b) == first + 3 ? "whole" : "not stepped");
	return status;
}
END
if [ -n "$EMULATOR" ] || ! cc -O2 -Wall -Wextra -include stdlib.h -o step step.c || ! ./step b true >/dev/null 2>&1 && [ ! -e /proc/self/syscall ]; then
	skip 'whole after each instruction of the writer' 'no ptrace'
else
	rm b
	line() { echo "a=$(yes "$1" | head -n 64 | paste -sd,)"; }
	line 101 | box mmapw -S 'a:u32[64]' b -
	{ line 102; line 103; line 104; } >steps
	is 'whole after each instruction of the writer' whole "$(timeout 60 ./step b "$IPCBOX" mmapw b - <steps 2>&1)"
fi
