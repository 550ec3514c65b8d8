#!/bin/sh
# The latch: a model of it, and the writer one instruction after the other.
. "${0%/*}/../tap.sh"

# The model checker must find nothing, and must find what is wrong in the two broken ones.
model() {
	rm -f pan*
	spin -a "$@" "$room/latch.pml" >spin.log && cc -O2 -DSAFETY -o pan pan.c && timeout 60 ./pan -m1000000 >pan.log
	sed -n 's/.*errors: //p' pan.log
}
if command -v spin >/dev/null && command -v cc >/dev/null; then
	is 'no execution of the model is torn with 2 slots' 0 "$(model)"
	is 'no execution of the model is torn with 4 slots' 0 "$(model -DNSLOTS=4)"
	is 'no execution of the model is torn where the number of the publication wraps, with 2 slots' 0 "$(model -DSTART=5)"
	is 'no execution of the model is torn where the number of the publication wraps, with 4 slots' 0 "$(model -DSTART=5 -DNSLOTS=4)"
	is 'the model finds an execution that is torn without the release fence' 1 "$(model -DFENCE=0)"
	is 'the model finds an execution that is torn with 2 slots if readers accept one publication more' 1 "$(model -DLATE=0)"
	is 'the model finds an execution that is torn with 4 slots if readers accept one publication more' 1 "$(model -DNSLOTS=4 -DLATE=0)"
	is 'the model finds that a writer that closes with a relaxed store hides its last publication' 1 "$(model -DCLOSE=0)"
	is 'the model finds an execution that is torn if a writer publishes what a dead one left half written' 1 "$(model -DWHOLE=0)"
else
	skip 'no execution of the model is torn' 'no spin'
fi

if ! command -v cc >/dev/null; then
	skip 'a record is whole after each instruction of the writer' 'no cc'
	exit
fi
box mmapw -S 'a:u32[64]' b - </dev/null
box mmapr --emit-c b >board.h

# mmapw, one instruction after the other, from its lock to its end: were it killed there, a
# reader would find the last complete record, as the file alone decides what readers see.
cat >step.c <<'END'
#include <stdio.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include "board.h"

/* The next writer may publish what is whole: then its times are later than those of seq. */
static int is_early(const struct board *b)
{
	uint32_t seq = board_seq(b), *next = board_slot(b, seq + 1);
	int64_t times[2][2];

	memcpy(times[0], board_slot(b, seq) + 4, 16);
	memcpy(times[1], next + 4, 16);
	return next[0] == seq + 1 && next[2] == seq + 1 && next[1] == board_crc(next + 8, sizeof(struct board_record))
		&& (times[1][0] <= times[0][0] || times[1][1] <= times[0][1]);
}

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
		execvp(argv[3], argv + 3);
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
			if (board_read(&b, &r) != 1 || r.a[0] != r.a[63]
			    || (r.a[0] - board_seq(&b) != 100 && r.a[0] != 1) || is_early(&b))
				return printf("change %d: seq %u, record %u to %u\n", changes,
					board_seq(&b), r.a[0], r.a[63]), 1;
		}
		ptrace(stepping ? PTRACE_SINGLESTEP : PTRACE_SYSCALL, pid, NULL, NULL);
	}
	printf("%s\n", changes > atoi(argv[2]) && board_seq(&b) == first + 3 ? "whole" : "not stepped");
	return status;
}
END
if [ -n "$EMULATOR" ] || ! cc -O2 -Wall -Wextra -include stdlib.h -o step step.c || ! ./step b 0 true >/dev/null 2>&1 && [ ! -e /proc/self/syscall ]; then
	skip 'a record is whole after each instruction of the writer' 'no ptrace'
else
	rm b
	line() { echo "a=$(yes "$1" | head -n 64 | paste -sd,)"; }
	line 101 | box mmapw -S 'a:u32[64]' b -
	{ line 102; line 103; line 104; } >steps
	is 'a record is whole after each instruction of the writer' whole "$(timeout 60 ./step b 64 "$IPCBOX" mmapw b - <steps 2>&1)"

	# Where the record does not change, its slot is whole before the times are there, unless they come first.
	cat >same.c <<'END'
#include "board.h"
#include <sys/time.h>

int main(int argc, char **argv)
{
	struct itimerval none;
	struct board b;
	struct board_record r;

	memset(&none, 0, sizeof(none));
	if (argc < 2 || board_open(&b, argv[1], 1) || board_read(&b, &r) != 1)
		return 1;
	setitimer(ITIMER_REAL, &none, NULL); /* step.c waits for that */
	for (int i = 0; i < 3; i++)
		board_write(&b, &r);
	board_close(&b);
	return 0;
}
END
	cc -O2 -o same same.c
	{ line 1; line 1; line 1; } >steps
	box mmapw b - <steps
	is 'a record that does not change has its times after each instruction of mmapw' whole \
		"$(timeout 60 ./step b 12 "$IPCBOX" mmapw b - <steps 2>&1)"
	is 'a record that does not change has its times after each instruction of a writer in C' whole \
		"$(timeout 60 ./step b 12 ./same b 2>&1)"
fi
