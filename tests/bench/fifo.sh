# fifo.sh - the questions F1 to F5: FIFOs. Part of bench.sh.
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
	busybox_cat) set -- "busybox cat $f" "busybox cat" "$2" ;;
	toybox_cat) set -- "toybox cat $f" "toybox cat" "$2" ;;
	bare_splice) set -- "$LOOP splice <$f" "$LOOP splice" "$2" ;;
	bare_read-write) set -- "$LOOP read-write <$f" "$LOOP read-write" "$2" ;;
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

peers='pv cat dd busybox_cat toybox_cat socat mbuffer'
mib=$((SIZE >> 20))
line_F1() {
	large "$MEM/src"
	# shellcheck disable=SC2086 # a list
	contest F1 to_null MB/s "$SIZE" 'fifow -r, fifor -r' 'How fast does a file go through a FIFO?' \
		"$mib MiB from $(fs_of "$MEM") to /dev/null" bare_splice $peers
}
line_F2() {
	large "$MEM/src"
	# shellcheck disable=SC2086
	contest F2 to_file MB/s "$SIZE" 'fifow -r, fifor -r' 'How fast is a file copied through a FIFO?' \
		"$mib MiB from $(fs_of "$MEM") to a new file on $(fs_of "$MEM")" bare_splice bare_read-write $peers
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
	bare_write) clock_sh "$LOOP get 64 <$f & $LOOP put $MESSAGES 64 >$f && wait \$!" ;;
	bare_packet) clock_sh "$LOOP get 64 <$f & $LOOP put-packets $MESSAGES 64 >$f && wait \$!" ;;
	socat)
		few=$((MESSAGES / 10))
		ns=$(clock_sh "socat -u -b 64 OPEN:$f,rdonly - >$MEM/dst & head -n $few $MEM/lines | socat -u -b 64 - OPEN:$f,wronly && wait \$!") &&
			echo $((ns * 10)) ;;
	shell_while_read)
		few=$((MESSAGES / 100))
		ns=$(clock_sh "while read -r l; do printf '%s\n' \"\$l\"; done <$f >$MEM/dst & head -n $few $MEM/lines >$f && wait \$!") &&
			echo $((ns * 100)) ;;
	esac
}
line_F3() {
	awk -v n=$MESSAGES 'BEGIN { while (n-- > 0) printf "%063d\n", n }' >"$MEM/lines"
	frame='-F packet'
	contest F3 messages messages/s "$MESSAGES" 'fifow -F packet, fifor' 'How many messages go through a FIFO, each in a packet?' \
		"$(commas "$MESSAGES") lines of 64 bytes" bare_packet socat shell_while_read
	frame='-F line'
	contest F3 messages messages/s "$MESSAGES" 'fifow -F line, fifor' 'How many messages go through a FIFO as lines?' \
		"$(commas "$MESSAGES") lines of 64 bytes" bare_write socat shell_while_read
	rm -f "$MEM/lines" "$MEM/dst"
}

# one_line TOOL carries one very long line.
one_line() {
	new_fifo
	f=$MEM/fifo
	case $1 in
	ipcbox) clock_sh "$IPCBOX fifor -e exit -F len -o plain $f >/dev/null & $IPCBOX fifow -F len $f - <$MEM/line && wait \$!" ;;
	cat) clock_sh "cat $f >/dev/null & cat $MEM/line >$f && wait \$!" ;;
	bare_read-write) clock_sh "$LOOP read-write <$f >/dev/null & $LOOP read-write <$MEM/line >$f && wait \$!" ;;
	esac
}
line_F5() {
	{ head -c $((SIZE / 16)) /dev/zero | tr '\0' x; echo; } >"$MEM/line"
	contest F5 one_line MB/s $((SIZE / 16)) 'fifow -F len, fifor' 'How fast does one long message go through a FIFO?' \
		"$((mib / 16)) MiB without a newline, to /dev/null" bare_read-write cat
	rm -f "$MEM/line"
}

# idle prints the whole milliseconds of processor time that the four programs use in $WAIT s.
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
	sleep "$WAIT"
	for p in $pids; do cat "/proc/$p/schedstat"; done >"$MEM/idle1" || exit
	rm -f "$MEM/fifo2" "$MEM/fifo3" "$MEM/board"
	paste "$MEM/idle0" "$MEM/idle1" | awk -v note="$MEM/note" '
		{ ns += $4 - $1; runs = runs " " $6 - $3 }
		END { print "they ran" runs " times" >note; print int(ns / 1e6) }'
)
line_F4() {
	once F4 idle count 'fifow, fifor, mmapr -f, pipecap --hold' 'How many milliseconds of processor time does waiting cost?' \
		"all four wait for $WAIT s"
}
