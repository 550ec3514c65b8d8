# fifo.sh - the lines F1 to F4 of the table: FIFOs. Part of bench.sh.
# shellcheck shell=sh disable=SC2034,SC2317
#
# SPDX-License-Identifier: 0BSD

large() {
	[ -f "$1" ] || head -c "$SIZE" /dev/urandom >"$1" || die "can't fill '$1'"
}
# Only the result of the warm-up is compared: comparing each result would take too long.
same() { [ "$round" ] || cmp "$1/src" "$1/dst" >&2; }
new_fifo() { rm -f "$MEM/fifo"; mkfifo "$MEM/fifo"; }

# through TOOL OUT: runs the two commands of TOOL; the status of the reader counts, too.
through() {
	new_fifo
	f=$MEM/fifo
	# The file of the last run is removed before the clock starts.
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
	contest F1 0.33 best ns to_null "$mib MiB of tmpfs through a FIFO to /dev/null" $peers
}
line_F2() {
	large "$MEM/src"
	# shellcheck disable=SC2086
	contest F2 1.0 best ns to_file "$mib MiB of tmpfs through a FIFO to tmpfs" $peers
	rm -f "$MEM/dst"
}

# A packet is one write and one read, so the packet-loop is the limit of packets; one write takes
# many lines.  socat sends a tenth of the messages, the shell a hundredth.
messages() {
	new_fifo
	f=$MEM/fifo
	case $1 in
	ipcbox)
		clock_sh "$IPCBOX fifor -e exit -o plain $f >$MEM/dst & $IPCBOX fifow $frame $f - <$MEM/lines && wait \$!" &&
			cmp "$MEM/lines" "$MEM/dst" >&2 ;;
	loop) clock_sh "$LOOP get 64 <$f & $LOOP put $MESSAGES 64 >$f && wait \$!" ;;
	packet-loop) clock_sh "$LOOP get 64 <$f & $LOOP put-packets $MESSAGES 64 >$f && wait \$!" ;;
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
	frame='-F packet'
	contest F3 1.1 packet-loop ns messages "$MESSAGES messages of 64 bytes, lines in, packets between, lines out" \
		loop packet-loop socat while-read
	frame='-F line'
	contest F3 0.3 loop ns messages "$MESSAGES messages of 64 bytes, lines in, lines between, lines out" loop
	rm -f "$MEM/lines" "$MEM/dst"
}

# idle prints the whole milliseconds of processor time that the four programs use in 10 s.
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
