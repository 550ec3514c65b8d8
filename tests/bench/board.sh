# board.sh - the questions M1 to M3: boards. Part of bench.sh.
# shellcheck shell=sh disable=SC2034,SC2317
#
# SPDX-License-Identifier: 0BSD

lag() (
	pids=
	trap 'kill $pids 2>/dev/null' EXIT
	trap 'exit 1' INT TERM
	new_fifo
	rm -f "$MEM/out" && mkfifo "$MEM/out" || exit
	case $1 in
	ipcbox)
		"$IPCBOX" mmapw "$MEM/board" id=1 || exit
		$on "$IPCBOX" mmapw "$MEM/board" - <"$MEM/fifo" & pids=$!
		$on "$IPCBOX" mmapr -f -o time,id,name,sex "$MEM/board" >"$MEM/out" & pids="$pids $!"
		$on "$TOOL" lag 2000 "$percentile" "$MEM/fifo" "$MEM/out" ;;
	bare_futex)
		$on "$LOOP" publish >"$MEM/out" <"$MEM/fifo" & pids=$! # in the order in which tool opens them
		$on "$TOOL" lag 2000 "$percentile" "$MEM/fifo" "$MEM/out" ;;
	cat)
		$on cat "$MEM/fifo" >"$MEM/out" & pids=$!
		$on "$TOOL" lag 2000 "$percentile" "$MEM/fifo" "$MEM/out" own ;;
	esac
)
# The kernel may let both sides of a FIFO take turns on one processor, and wakes the two sides of a
# futex on two, which takes longer. So one question pins all of them.
line_M1() {
	percentile=50 on=
	contest M1 lag us 1 'mmapw, mmapr -f' 'How long until a reader has a new record?' \
		'the median of 2,000 records; with cat they go through a FIFO' bare_futex cat
	percentile=99
	contest M1 lag us 1 'mmapw, mmapr -f' 'How long until a reader has 99 of 100 new records?' \
		'of 2,000 records; with cat they go through a FIFO' bare_futex cat
	percentile=50 on=$pin
	[ ! "$pin" ] || contest M1 lag us 1 'mmapw, mmapr -f' 'How long until a reader on the same processor has a new record?' \
		'the median of 2,000 records; with cat they go through a FIFO' bare_futex cat
	rm -f "$MEM/board"
}

# publish TOOL publishes each of the lines. mmapw takes some 1,500 instructions for a record, and a
# wake-up for each read of many lines. Each write of bare_write may come with a wake-up, or not, as the
# scheduler has it. So the ratio is another from run to run: 0.16 to 0.43 were seen.
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
	bare_write) ns=$(clock_sh "$LOOP get 28 <$MEM/fifo & $LOOP put $MESSAGES 28 >$MEM/fifo && wait \$!") ;;
	cat,_fifow) ns=$(clock_sh "cat $MEM/fifo >/dev/null & $IPCBOX fifow $MEM/fifo - <$MEM/lines && wait \$!") ;;
	esac && echo "$ns"
)

torn() (
	pid=
	trap 'kill $pid 2>/dev/null' EXIT
	trap 'exit 1' INT TERM
	b=$MEM/board-torn
	"$IPCBOX" mmapw -S 'a:u32[8]' "$b" a=0,0,0,0,0,0,0,0 && "$IPCBOX" mmapr --emit-c "$b" >"$MEM/board.h" &&
		$CC -O2 -I"$MEM" -o "$MEM/torn" "$here/torn.c" || exit
	awk -v n=$MESSAGES 'BEGIN { for (i = 0; i < n; i++) { s = i; for (k = 1; k < 8; k++) s = s "," i; print "a=" s } }' >"$MEM/lines8"
	(while cat "$MEM/lines8" 2>/dev/null; do :; done) | "$IPCBOX" mmapw "$b" - & pid=$!
	sleep 0.2
	"$MEM/torn" "$b" $((SIZE * 100000000 >> 30)) 2>"$MEM/note"
)
line_M2() {
	awk -v n=$MESSAGES 'BEGIN { for (i = 0; i < n; i++) print "id=" i }' >"$MEM/lines"
	contest M2 publish records/s "$MESSAGES" 'mmapw -, 4 mmapr -f' 'How many records can a writer publish?' \
		"$(commas "$MESSAGES") records to 4 readers; a FIFO has one reader" bare_write cat,_fifow
	rm -f "$MEM/lines" "$MEM/board"
	once M2 torn count 'mmapw -, a reader of mmapr --emit-c' 'How many records does a reader see torn?' \
		"$(commas $((SIZE * 100000000 >> 30))) reads of a board that is published all the time"
	rm -f "$MEM"/lines8 "$MEM"/board*
}

# A process is so short that one run is the mean of many processes.
show() {
	case $1 in
	ipcbox) set -- "$IPCBOX" mmapr -1 "$MEM/board" ;;
	busybox_cat) set -- busybox cat "$MEM/board" ;;
	cat) set -- cat "$MEM/board" ;;
	esac
	$pin "$TOOL" time 500 "$@"
}
line_M3() {
	"$IPCBOX" mmapw "$MEM/board" id=1 || { FAILED=1; return; }
	contest M3 show us 1 'mmapr -1' 'How long does a script wait for the value of a board?' \
		'the whole process: mmapr -1 FILE, cat FILE' busybox_cat cat
	rm -f "$MEM/board"
}
