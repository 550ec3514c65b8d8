#!/bin/sh
. "${0%/*}/tap.sh"

box mmapw b id=10 name='xiao bai' sex=M
run box mmapr -1 b
is 'mmapr -1 prints the record' '0 id=10	 name=xiao bai	 sex=M' "$rc $out"

# The tutorial's job: the same line again and again, and what is published in between.
$EMULATOR "$IPCBOX" mmapr -i 10ms b >lines &
pid=$!
wait_for sh -c '[ $(wc -l <lines) -ge 3 ]'
box mmapw b id=11
wait_for grep -q 'id=11' lines
kill $pid
wait $pid 2>/dev/null
is 'without -1 it goes on' 'id=10	 name=xiao bai	 sex=M,id=11	 name=xiao bai	 sex=M' "$(uniq lines | paste -sd, -)"
run timeout 10 $EMULATOR "$IPCBOX" mmapr -i 0 b -h
is 'options after the file count' 0 "$rc"
$EMULATOR "$IPCBOX" mmapr -i 1ms b 2>err | head -n 1 >/dev/null
is 'a reader of ours that leaves ends us, without a word' '' "$(cat err)"
if [ -w /dev/full ]; then
	run sh -c "$EMULATOR $IPCBOX mmapr -1 b >/dev/full"
	is 'a full disk is exit 1' "1 mmapr: can't write to standard output: No space left on device" "$rc $err"
fi

box mmapw esc name="$(printf 'a\033[2Jb\tc\177')"
run box mmapr -1 esc
is 'no control character reaches the terminal' 'id=0	 name=a\x1b[2Jb\x09c\x7f	 sex=' "$out"

# What is no board.
run box mmapr missing
is 'a missing file is exit 1' "1 mmapr: can't open 'missing': No such file or directory" "$rc $err"
run box mmapr .
is 'a directory too' "1 mmapr: can't use '.': not a regular file" "$rc $err"
mkfifo fifo
run box mmapr fifo
is 'and a FIFO, without waiting for its writer' "1 mmapr: can't use 'fifo': not a regular file" "$rc $err"
: >empty
run box mmapr empty
is 'an empty file is damaged' "5 mmapr: 'empty' is damaged: not a board (too short)" "$rc $err"
head -c 500 /dev/zero >zeros
run box mmapr zeros
is 'so is one of zeros' "5 mmapr: 'zeros' is damaged: not a board (wrong magic)" "$rc $err"

# Truncated under the reader: to nothing (SIGBUS), within the page, and long again.
for sizes in 0 64 100 200 '200 320' '0 320'; do
	rm -f cut
	box mmapw cut id=1
	$EMULATOR "$IPCBOX" mmapr -i 1ms cut >lines 2>err &
	pid=$!
	wait_for test -s lines
	for size in $sizes; do truncate -s $size cut; done
	wait $pid 2>/dev/null
	like "a file cut to $sizes bytes under the reader" "5 mmapr: 'cut' is damaged: *" "$? $(cat err)"
done

# A file that is replaced is read anew.
$EMULATOR "$IPCBOX" mmapr -i 1ms b >lines &
pid=$!
wait_for test -s lines
box mmapw -S x:u8 new x=42
mv new b
ok 'a board that replaces the file is seen' wait_for grep -qx x=42 lines
kill $pid

# The bare struct, from a C program as in the tutorial, and back.
if command -v cc >/dev/null; then
	cat >raw.c <<-'END'
		#include <stdio.h>
		#include <string.h>
		struct { int id; char name[20]; char sex; } r = { 10, "xiao bai", 'M' };
		int main(int argc, char **argv)
		{
			FILE *f = fopen(argv[1], argc > 2 ? "r" : "w");
			if (argc > 2 && fread(&r, sizeof(r), 1, f) == 1)
				printf("id=%d\t name=%s\t sex=%c\n", r.id, r.name, r.sex);
			else
				fwrite(&r, sizeof(r), 1, f);
			return fclose(f);
		}
	END
	cc -o raw raw.c && ./raw bare
	run box mmapr -1 bare
	is 'a C program'\''s struct is read' 'id=10	 name=xiao bai	 sex=M' "$out"
	box mmapw --raw bare id=12
	run ./raw bare x
	is 'and written' 'id=12	 name=xiao bai	 sex=M' "$out"
else
	skip 'a C program'\''s struct is read' 'no cc'
fi

run box mmapr
like 'no file is a usage error' '2 mmapr: no file*' "$rc $err"
run box mmapr b b
like 'so are two' "2 mmapr: unexpected operand 'b'*" "$rc $err"
