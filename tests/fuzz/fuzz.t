#!/bin/sh
# libFuzzer and the sanitizers try each parser of ipcbox for FUZZ_SECONDS; fuzz.corpus has the inputs
# that led libFuzzer furthest in earlier runs, one a line: the parser's number, and base64.
. "${0%/*}/../tap.sh"
: "${FUZZ_SECONDS:=2}"

cd "$top" || exit
out=$T/fuzz
if [ -n "$EMULATOR" ] || ! command -v clang >/dev/null ||
	! echo 'int LLVMFuzzerTestOneInput(void) { return 0; }' |
		clang -fsanitize=fuzzer,address -x c -o "$out" - 2>/dev/null; then
	skip 'libFuzzer finds no fault' 'no clang with libFuzzer'
	exit
fi
obj=${IPCBOX%/*}/obj
[ -e "$obj/config.h" ] || obj=obj
compile() {
	clang -O1 -g -w -fsanitize=fuzzer,address,undefined -fno-sanitize-recover=undefined -D_GNU_SOURCE \
		-D_FILE_OFFSET_BITS=64 -DVERSION='""' -I"$obj" -Ilibbb -I"$T" "$@"
}
library=$(find libbb -name '*.c' ! -name appletlib.c ! -name init.c ! -name inflate.c \
	! -name malloc.c ! -name texts.c)
board=$(find applets/board -name '*.c' ! -name 'mmap*.c' ! -name emit.c ! -name remake.c)
fifo='applets/fifo/fifo.c applets/fifo/wait.c applets/fifo/frame.c applets/fifo/text.c
	applets/fifo/feed.c applets/fifo/output.c applets/fifo/place.c applets/fifo/ends.c applets/fifo/readers.c'
# shellcheck disable=SC2086 # names without spaces
build() {
	compile -c -o "$out.o" tests/fuzz/fuzz.c && compile -Dexit=fuzz_exit -D_exit=fuzz_exit \
		-Dmalloc=fuzz_malloc -Drealloc=fuzz_realloc -Dfree=fuzz_free -o "$out" "$out.o" \
		$library $fifo \
		$board
}
box mmapw "$T/board" id=1 name=one
box mmapr --emit-c=emitted "$T/board" >"$T/emitted.h"
ok 'the fuzzer is built' build

export FUZZ_BOARD="$T/board"
mkdir "$T/corpus"
n=0
while read -r parser input; do
	mkdir -p "$T/corpus/$parser"
	echo "$input" | base64 -d >"$T/corpus/$parser/$n"
	n=$((n + 1))
done <tests/fuzz/fuzz.corpus
# exit(3) frees the memory of an applet, so that leaks are not looked for. The close_fd_mask keeps
# messages out of the TAP.
fuzz() {
	mkdir -p "$T/corpus/$FUZZ_PARSER"
	[ "$FUZZ_PARSER" != 5 ] || cp "$T"/corpus/0/* "$T/corpus/5" # --replace begins with such boards
	ASAN_OPTIONS=detect_leaks=0 timeout $((FUZZ_SECONDS + 60)) "$out" -max_total_time="$FUZZ_SECONDS" \
		-max_len=4096 -close_fd_mask=3 -artifact_prefix="$T/" "$T/corpus/$FUZZ_PARSER" >"$T/log" 2>&1 ||
		{ tail -n 40 "$T/log"; return 1; }
}
FUZZ_PARSER=0
export FUZZ_PARSER
for parser in boards schemas 'lines and JSON' numbers frames 'boards for --replace' 'boards, by mmapr --emit-c'; do
	ok "libFuzzer finds no fault in the reading of $parser in $FUZZ_SECONDS s" fuzz
	sed -n -e 's/.*\(cov: [0-9]*\).*/\1/' -e '/^cov/h' -e '/^Done/{G;s/\n/, /;s/^/# /p;}' "$T/log"
	FUZZ_PARSER=$((FUZZ_PARSER + 1))
done
