#!/bin/sh
# Writers killed at random: at least KILLS kills and READS reads; KILL_LIMIT seconds for each.
. "${0%/*}/../tap.sh"
: "${READS:=10000000}" "${KILLS:=300}" "${KILL_LIMIT:=60}"

# A record filled with one number shows tearing.  The writer, a C program that knows only
# the header of --emit-c, writes as fast as it can and is killed at random; four such readers,
# and mmapr in two forms, look on.  Its successor must go on with the next number.
if ! command -v cc >/dev/null; then
	skip 'no record is torn while writers are killed at random' 'no cc'
	exit
fi
box mmapw -S 'a:u32[64]' b - </dev/null
# Without the CRC, which would hide what the latch lets through.
box mmapr --emit-c b | sed 's/ && head.1. == board_crc(r, sizeof(.r))//' >board.h
cat >stress.c <<'END'
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include "board.h"

enum { READERS = 4 };

static uint32_t *reads; /* of each reader */

static int die(const char *why, uint32_t a, uint32_t b)
{
	printf("%s %u %u\n", why, a, b);
	fflush(stdout);
	_exit(1);
}

static void writer(const char *path)
{
	struct board b;
	struct board_record r;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (board_open(&b, path, 1))
		_exit(3);
	for (;;) {
		for (int i = 0; i < 64; i++)
			r.a[i] = board_seq(&b) + 1;
		board_write(&b, &r);
	}
}

static int look(const struct board *b, uint32_t *last)
{
	struct board_record r;
	int rc = board_read(b, &r);

	if (rc <= 0)
		return rc;
	for (int i = 1; i < 64; i++)
		if (r.a[i] != r.a[0])
			die("torn", r.a[0], r.a[i]);
	if (r.a[0] < *last)
		die("went back", *last, r.a[0]);
	*last = r.a[0];
	return 1;
}

static void reader(const struct board *b, uint32_t *count)
{
	uint32_t last = 0;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (nice(10) < 0) /* or they leave the writers too little time */
		die("nice", 0, 0);
	for (;;)
		if (look(b, &last) >= 0)
			__atomic_store_n(count, *count + 1, __ATOMIC_RELAXED);
}

static uint64_t all_reads(void)
{
	uint64_t sum = 0;

	for (int i = 0; i < READERS; i++)
		sum += __atomic_load_n(reads + i, __ATOMIC_RELAXED);
	return sum;
}

int main(int argc, char **argv)
{
	int wanted_kills = atoi(argv[2]), status, kills = 0, n = 0;
	uint64_t wanted_reads = strtoull(argv[3], NULL, 10);
	pid_t readers[READERS], pid;
	uint32_t last = 0;
	struct board b;

	srandom(argc > 4 ? atoi(argv[4]) : 1);
	reads = (uint32_t *)mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (reads == MAP_FAILED || board_open(&b, argv[1], 0))
		die("can't begin", 0, 0);
	for (int i = 0; i < READERS; i++)
		if (!(readers[i] = fork()))
			reader(&b, reads + i);
	while (kills < wanted_kills || all_reads() < wanted_reads) {
		if (!(pid = fork()))
			writer(argv[1]);
		poll(NULL, 0, random() % 8);
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		if (!WIFSIGNALED(status))
			die("the next writer could not begin", status, kills);
		kills++;
		/* A dead writer lets nobody wait: the first look succeeds. */
		if (look(&b, &last) < 0 || last != board_seq(&b))
			die("after a kill: record, seq", last, board_seq(&b));
	}
	for (int i = 0; i < READERS; i++) {
		kill(readers[i], SIGKILL);
		waitpid(readers[i], &status, 0);
		n += !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL || !reads[i];
	}
	fprintf(stderr, "# %d kills, %llu reads, %u publications\n", kills,
		(unsigned long long)all_reads(), last);
	printf("%s\n", n ? "a reader failed" : "whole");
	return n;
}
END
# One reader in Python looks on, too: whole records, in order.
cat >look.py <<'END'
import json, sys
n = last = 0
for line in sys.stdin:
    a = json.loads(line)['a']
    if len(set(a)) != 1 or a[0] < last: sys.exit(line)
    n, last = n + 1, a[0]
print('many' if n > 100 else n)
END
mkfifo lines
# stress LANGUAGE COMPILER...: writers in that language are killed; the readers are C, mmapr, board.py
stress() {
	language=$1; shift
	rm -f b python
	box mmapw -S 'a:u32[64]' b - </dev/null
	"$@" -O2 -Wall -Wextra -o stress stress.c || return
	awk -F, 'NF { n++; for (i = 2; i <= NF; i++) if ($i != $1) { print; exit } } END { print (n > 500 ? "many" : n) }' lines >seen &
	awk=$!
	bg mmapr -f -F '%{a}\n' b >lines 2>err
	follower=$pid
	box mmapw b "a=$(yes 1 | head -n 64 | paste -sd,)"
	if command -v python3 >/dev/null; then
		mkfifo python
		python3 look.py <python >looked 2>&1 &
		look=$!
		python3 "$top/examples/board.py" -f b >python 2>&1 &
		PIDS="$PIDS $!" follower="$follower $!"
	fi
	bg mmapr -i 0 -F '' b 2>err2
	is "no record is torn while $language writers are killed at random, $KILLS kills, $READS reads" whole \
		"$(timeout "$KILL_LIMIT" ./stress b "$KILLS" "$READS" "$(date +%S)" 2>figures)"
	cat figures
	kill $pid
	wait $pid 2>/dev/null
	is "mmapr -i 0 saw no damage while $language writers were killed" '143 ' "$? $(cat err2)"
	# shellcheck disable=SC2086 # one pid or two
	kill $follower
	wait $awk
	is "mmapr -f saw many whole records while $language writers were killed" 'many ' "$(cat seen) $(cat err)"
	if [ -e python ]; then
		wait $look
		is "board.py -f saw many whole records while $language writers were killed" many "$(cat looked)"
	else
		skip "board.py -f saw many whole records while $language writers were killed" 'no python3'
	fi
	run box mmapr --check b
	is "the board is whole after the last $language writer" '0 ' "$rc $err"
}
stress C cc
if command -v c++ >/dev/null; then
	stress C++ c++ -x c++
else
	skip 'no record is torn while C++ writers are killed at random' 'no c++'
fi

# mmapw itself: what it publishes is 64 times one number.  The successor takes over, and adds
# to what is there.
cat >kill.py <<'END'
import os, random, subprocess, sys, time
box, count = sys.argv[1].split(), int(sys.argv[2])
lines = b''.join(b'a=%s\n' % b','.join([b'%d' % n] * 64) for n in range(2000))
open('input', 'wb').write(lines)
last = made = 0
for i in range(count):
    with open('input', 'rb') as f:
        w = subprocess.Popen(box + ['mmapw', '-S', 'a:u32[64]', 'k', '-'], stdin=f)
        time.sleep(random.random() / 100)
        w.kill()
        w.wait()
    if not os.path.exists('k'):
        continue
    r = subprocess.run(box + ['mmapr', '-1', '-F', '%{seq} %{a}', 'k'], capture_output=True)
    if r.returncode == 3 and not last:
        continue
    seq, a = r.stdout.decode().split(' ')
    assert r.returncode == 0 and len(a.split(',')) == 64 and len(set(a.split(','))) == 1, r
    assert int(seq) >= last, (last, seq)
    made += int(seq) > last
    last = int(seq)
assert last or [n for n in os.listdir() if n.startswith('.mmapw')] == [], 'temporary files'
print('went on' if made > count / 4 else (made, last))
END
if command -v python3 >/dev/null; then
	is "mmapw goes on after each of $KILLS writers that were killed at random" 'went on' \
		"$(timeout "$KILL_LIMIT" python3 kill.py "$EMULATOR $IPCBOX" "$KILLS" 2>&1 | tail -n 1)"
else
	skip 'mmapw goes on after writers that were killed at random' 'no python3'
fi
