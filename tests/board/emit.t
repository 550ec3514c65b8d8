#!/bin/sh
# mmapr --emit-c: two boards in one program, the end of a writer, large records, strict C.
. "${0%/*}/../tap.sh"
LIMIT=600 # for compilers on a loaded machine

if [ -n "$EMULATOR" ] || ! command -v cc >/dev/null; then
	skip 'two boards fit in one program' 'emulated, or no cc'
	exit
fi
box mmapw -S 'id:i32,name:str8' left id=1 name=a
box mmapw -S 'x:f64[2],big:u8[1048576]' right x=1,2
box mmapr --emit-c=left left >left.h
box mmapr --emit-c=My_Right right >right.h
for word in 1x 'a b' 'a-b' 'é'; do
	run box mmapr --emit-c="$word" left
	like "--emit-c=$word is a usage error" "2 mmapr: invalid prefix: '*" "$rc $err"
done
is '--emit-c=PREFIX has at most 150 lines' yes "$([ "$(wc -l <left.h)" -le 150 ] && echo yes)"
is 'every name of --emit-c=left begins with left or LEFT' '' \
	"$(sed -nE 's/^static inline [a-z0-9_ ]*[ *]([A-Za-z_0-9]+)\(.*/\1/p; s/^(struct|#define|enum \{) ([A-Za-z_]+).*/\2/p' left.h |
		grep -vE '^(left|LEFT)(_|$)|^_GNU_SOURCE$')"
cat >both.c <<'END2'
#include "left.h"
#include "right.h"
#include "left.h"
#include <signal.h>
#include <stdio.h>

static struct My_Right_record record;

static void wake(int sig) { (void)sig; }

int main(int argc, char **argv)
{
	struct left l;
	struct My_Right r;
	struct left_record small;

	if (left_open(&l, argv[1], 1) || My_Right_open(&r, argv[2], 1))
		return 1;
	if (left_read(&l, &small) != 1 || My_Right_read(&r, &record) != 1)
		return 2;
	small.id++;
	record.x[1] += small.id;
	record.big[sizeof(record.big) - 1]++;
	left_write(&l, &small);
	My_Right_write(&r, &record);
	if (argc > 3) {
		signal(SIGUSR1, wake);
		puts("writing");
		fflush(stdout);
		pause();
	}
	left_close(&l);
	My_Right_close(&r);
	if (argc > 3)
		pause();
	return 0;
}
END2
n=1
for cc in 'gcc -std=c11' 'gcc -std=c17' 'clang -std=c11' 'clang -std=gnu17' 'g++ -x c++ -std=c++11' 'g++ -x c++ -std=c++20' \
	'clang++ -x c++ -std=c++17' 'musl-gcc -std=c11'; do
	if ! command -v "${cc%% *}" >/dev/null; then skip "two boards in one program with $cc" "no ${cc%% *}"; continue; fi
	run $cc -Wall -Wextra -pedantic -Wshadow -Wconversion -Werror -O2 -o both both.c
	is "two boards in one program compile in silence with $cc" '0 ' "$rc $err"
	n=$((n + 1))
	run sh -c 'ulimit -s 256; ./both left right'
	is "two boards are written with $cc, a record of 1 MiB on a stack of 256 KiB" "0 id=$n" "$rc $(box mmapr -1 -o id left)"
	ok "the large board is whole after $cc" box mmapr --check right
done
printf '#include <stdio.h>\n#include "left.h"\n' >late.c
run gcc -std=c11 -pedantic -c late.c
like 'the C header says what it needs where strict C and another header hide it' '1 *#error*include this first, or use -std=gnu11*' "$rc $err"

# The end of a writer in C.
run cc -o both both.c
./both left right stay >said &
pid=$! PIDS="$PIDS $!"
wait_for grep -q writing said
run box mmapw left id=9
like 'mmapr --info names a writer in C' "3 mmapw: 'left' is held by pid $pid (both)" "$rc $err"
run box mmapr -1W left
is 'a writer in C is alive to mmapr -W' 0 "$rc"
writer=$pid
bg mmapr -f -W left >lines 2>err; reader=$pid
wait_for grep -q '^State:.S' "/proc/$reader/status"
kill -USR1 "$writer"
wait "$reader"
is 'mmapr -f -W sees that a writer in C has closed the board' "4 mmapr: 'left' has no live writer" "$? $(cat err)"
like 'a writer in C that closes the board has ended in order' '*writer: closed*' "$(box mmapr --info left)"
run box mmapw left id=9
is 'the lock of a closed board is free while its process lives' '0 ' "$rc $err"
kill "$writer"

# A child of fork(2) has the descriptor, and so the lock, too.
cat >fork.c <<'END2'
#include "left.h"
#include <signal.h>

int main(int argc, char **argv)
{
	struct left l;
	int rc;
	pid_t pid;

	if (argc < 2 || left_open(&l, argv[1], 1))
		return 2;
	pid = fork();
	if (!pid)
		pause();
	left_close(&l);
	rc = left_open(&l, argv[1], 1) ? 1 : 0;
	kill(pid, SIGKILL);
	return rc;
}
END2
cc -o fork fork.c
run ./fork left
is 'the lock of a closed board is free while a child of its process lives' '0 ' "$rc $err"
cat >child.c <<'END2'
#include "left.h"
#include <stdlib.h>
#include <sys/wait.h>

int main(int argc, char **argv)
{
	struct left l;

	if (argc < 2 || left_open(&l, argv[1], 1))
		return 2;
	if (!fork()) {
		left_close(&l);
		_exit(0);
	}
	wait(NULL);
	return system(argv[2]) >> 8;
}
END2
cc -o child child.c
run ./child left "$EMULATOR $IPCBOX mmapw -q left id=5"
is 'a child that closes its copy of the board leaves the parent the lock' '3 ' "$rc $err"

# Between a writer's open(2) and its lock another program gives the name to another file.
cat >moved.c <<'END2'
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdio.h>

static int moved(int fd, int command, struct flock *lock)
{
	rename("new", "old");
	return fcntl(fd, command, lock);
}
#define fcntl moved
#include "left.h"

int main(void)
{
	struct left l;

	return left_open(&l, "old", 1) ? 3 : 0;
}
END2
cc -o moved moved.c
box mmapw -S 'id:i32,name:str8' old id=1
cp old new
run ./moved
is 'a writer in C does not begin in a file that has lost its name' '3 ' "$rc $err"
run ./moved
is 'a writer in C begins in a file that has its name' '0 ' "$rc $err"

# Nobody wakes a reader whose file was removed or replaced, so it has to look at the name itself.
cat >wait.c <<'END2'
#include "left.h"

int main(void)
{
	struct left l;
	struct timespec start, end;

	if (left_open(&l, "left", 0))
		return 1;
	clock_gettime(CLOCK_MONOTONIC, &start);
	left_wait(&l, left_seq(&l));
	clock_gettime(CLOCK_MONOTONIC, &end);
	return end.tv_sec - start.tv_sec < 1 || end.tv_sec - start.tv_sec > 9 ? 2 : 0;
}
END2
cc -o wait wait.c
run timeout 15 ./wait
is 'a reader in C that waits for news is back after a second, to look at the name' '0 ' "$rc $err"

# A number that no slot has is damage, as mmapr has it.
box mmapw -S 'id:i32,name:str8' never - </dev/null
cat >read.c <<'END2'
#include "left.h"
#include <stdio.h>

int main(int argc, char **argv)
{
	struct left l;
	struct left_record record;

	return argc > 1 && !left_open(&l, argv[1], 0) && printf("%d\n", left_read(&l, &record)) < 0;
}
END2
cc -o read read.c
run ./read never
is 'a reader in C says that nothing is published yet' '0 0' "$rc $out"
cp never used
printf '\1' | dd of=used bs=1 seek="$(($(od -An -tu4 -j16 -N4 used)))" conv=notrunc 2>log
run ./read used
is 'a reader in C takes a slot with a number alone for damage' '0 -1' "$rc $out"
printf '\5\0\0\5' | dd of=never bs=1 seek=64 conv=notrunc 2>log # 0x05000005 in both byte orders
run ./read never
is 'a reader in C takes a number that no slot has for damage' '0 -1' "$rc $out"
run box mmapr -1 never
is 'mmapr takes a number that no slot has for damage' "5 mmapr: 'never' is damaged: wrong number of the publication" "$rc $err"

# After a power cut the disk may hold seq and the slots of different times.
cat >add.c <<'END2'
#include "left.h"

int main(int argc, char **argv)
{
	struct left l;
	struct left_record record;

	if (argc < 2 || left_open(&l, argv[1], 1) || left_read(&l, &record) != 1)
		return 1;
	record.id += 100;
	left_write(&l, &record);
	left_close(&l);
	return 0;
}
END2
# cut FILE BOOT SEQ [SLOT]...: seq is SEQ, and those slots are not whole; BOOT 1: another boot's board
cat >cut.py <<'END2'
import struct, sys, zlib
d = bytearray(open(sys.argv[1], 'rb').read())
d[48] ^= int(sys.argv[2])
d[44:48] = bytes(4)
d[44:48] = struct.pack('=I', zlib.crc32(d[:64]))
d[64:68] = struct.pack('=I', int(sys.argv[3]))
head, = struct.unpack_from('=I', d, 16)
stride, = struct.unpack_from('=I', d, 28)
for slot in sys.argv[4:]:
    d[head + int(slot) * stride + 36] ^= 1
open(sys.argv[1], 'wb').write(d)
END2
# after_cut WHAT EXPECTED SEQ [SLOT]...: what there is before a writer in C has added 100, and after
after_cut() {
	what=$1 expected=$2; shift 2
	rm -f cut
	box mmapw -n 8 -S 'id:i32,name:str8' cut - <numbers
	python3 cut.py cut 1 "$@"
	is "after a power cut a writer in C goes on from the newest whole record: $what" "$expected" \
		"$(box mmapr -1 -F '%{seq} %{id}, ' cut)$(./add cut; echo $?) $(box mmapr -1 -F '%{seq} %{id}' cut)"
}
if command -v python3 >/dev/null; then
	cc -o add add.c
	for n in 1 2 3 4 5 6 7 8 9 10; do echo id=$n; done >numbers
	after_cut 'seq is it' '10 10, 0 11 110' 10
	after_cut 'seq is one behind' '10 10, 0 11 110' 9
	after_cut 'seq is far behind' '10 10, 0 11 110' 4
	after_cut 'seq is the oldest' '10 10, 0 11 110' 3
	after_cut 'the record of seq is not whole' '9 9, 0 10 109' 10 2
	after_cut 'seq is ahead' '8 8, 0 9 108' 12 1 2
	after_cut 'no slot has seq' '10 10, 0 11 110' 77
	after_cut 'no record is whole' '1 ' 10 0 1 2 3 4 5 6 7 2>log
	# It looks at no boot_id, so it does the same within one boot.
	while IFS='|' read -r seq slot expected; do
		rm cut
		box mmapw -n 8 -S 'id:i32,name:str8' cut - <numbers
		# shellcheck disable=SC2086 # one slot, or none
		python3 cut.py cut 0 "$seq" $slot
		is "within one boot a writer in C goes on from the newest whole record, seq is $seq, not whole is slot '$slot'" \
			"$expected" "$(box mmapr -1 -F '%{seq} %{id}, ' cut 2>log)$(./add cut; echo $?) $(box mmapr -1 -F '%{seq} %{id}' cut)"
	done <<-'END2'
		9||9 9, 0 11 110
		10|2|0 10 109
	END2
	run box mmapw cut id=7
	is 'mmapw goes on behind a writer in C that went on behind damage' '0 11' "$rc $(box mmapr -1 -F '%{seq}' cut)"
	rm cut
	box mmapw -n 8 -S 'id:i32,name:str8' cut - <numbers
	python3 cut.py cut 1 9
	bg mmapr -s 9 -f -F '%{seq} %{id}\n' cut >followed
	wait_for grep -q '^10 10' followed
	./add cut
	ok 'mmapr -f of an earlier boot misses nothing of a writer in C' wait_for grep -q '^11 110' followed
else
	skip 'after a power cut a writer in C goes on from the newest whole record' 'no python3'
fi

# Another program may make a record that C would fill up to a multiple of 8.
if command -v python3 >/dev/null; then
	box mmapw -S 'a:i64,b:u8' odd - </dev/null
	cat >odd.py <<-'END2'
		import struct, zlib
		d = bytearray(open('odd', 'rb').read())
		d[32:36] = struct.pack('=I', 9)
		d[44:48] = bytes(4)
		d[44:48] = struct.pack('=I', zlib.crc32(d[:64]))
		open('odd', 'wb').write(d)
	END2
	python3 odd.py
	box mmapr --emit-c=odd odd >odd.h
	cat >odd.c <<-'END2'
		#include "odd.h"

		int main(void)
		{
			struct odd o;
			struct odd_record record;

			memset(&record, 1, sizeof(record));
			if (odd_open(&o, "odd", 1))
				return 1;
			odd_write(&o, &record);
			odd_close(&o);
			return 0;
		}
	END2
	cc -o odd_writer odd.c
	run ./odd_writer
	is 'a record whose size is no multiple of its alignment is written in C' '0  a=72340172838076673	 b=1' "$rc $err $(box mmapr -1 odd)"
else
	skip 'a record whose size is no multiple of its alignment is written in C' 'no python3'
fi
