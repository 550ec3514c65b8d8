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
	skip 'a record is whole after each instruction of the writer' 'no ptrace'
else
	rm b
	line() { echo "a=$(yes "$1" | head -n 64 | paste -sd,)"; }
	line 101 | box mmapw -S 'a:u32[64]' b -
	{ line 102; line 103; line 104; } >steps
	is 'a record is whole after each instruction of the writer' whole "$(timeout 60 ./step b "$IPCBOX" mmapw b - <steps 2>&1)"
fi
