#!/bin/sh
# README's table "BESIDE OTHER TOOLS": what ipcbox and other tools do is what the table says.
. "${0%/*}/../tap.sh"
readme=$top/README
have() { command -v "$1" >/dev/null 2>&1; }
if [ ! -f "$readme" ]; then skip 'the table says what the tools do' 'no README'; exit; fi

# The name pipesz may be a link to ipcbox.
if have pipesz && pipesz --version 2>&1 | grep -q util-linux; then util_linux=y; fi

# claim TOOL ROW - print the mark of the table: x or -
claim() {
	awk -v tool="$1" -v row="$2" '/^BESIDE/ { on = 1 } /^POWER/ { exit }
		on && / ipcbox / { for (i = 1; i <= NF; i++) if ($i == tool) column = NF - i }
		on && index($0, "    " row " ") == 1 { print $(NF - column) }' "$readme"
}
# try ROW TOOL CMD... - CMD succeeds if the table says x, and fails if it says -
try() {
	row=$1 tool=$2 mark=-
	shift 2
	case $tool in
	socat) have socat || { skip "README says rightly of $tool: $row" 'no socat'; return; } ;;
	pipesz) [ -n "${util_linux-}" ] || { skip "README says rightly of $tool: $row" 'no pipesz of util-linux'; return; } ;;
	esac
	! "$@" >/dev/null 2>&1 || mark=x
	is "README says rightly of $tool: $row" "$mark" "$(claim "$tool" "$row")"
}
# within SECONDS CMD... - timeout, which may not outlive a peer that hangs
within() { timeout -k 1 "$@"; }

# --- a FIFO ---
# outlives CMD... - does CMD read two messages, of which the second comes when the first writer has
# left?
outlives() {
	rm -f f two && mkfifo f && : >two
	"$@" >two 2>/dev/null & reader=$! PIDS="$PIDS $!"
	within 5 sh -c 'echo one >f' || return
	wait_for grep -q one two || return
	# A reader that ends ends now: it has nothing to wait for.
	sleep 0.3
	within 2 sh -c 'echo two >f' && wait_for grep -q two two
	status=$?
	kill $reader 2>/dev/null
	return $status
}
row='reader of a FIFO outlives a writer'
try "$row" ipcbox outlives timeout 9 $EMULATOR "$IPCBOX" fifor f
try "$row" cat outlives timeout 9 cat f
try "$row" socat outlives timeout 9 socat -u PIPE:f STDOUT

# limited CMD... - does CMD end by itself, and fail, where no reader comes?
limited() {
	rm -f f && mkfifo f
	echo m | within 3 "$@"
	case $? in 0) return 1 ;; 124 | 137) [ "$1" != sh ] && [ "$1" != socat ] ;; *) return 0 ;; esac
}
row='writer of a FIFO has a time limit'
try "$row" ipcbox limited $EMULATOR "$IPCBOX" fifow -t 0.5 f message
try "$row" cat limited sh -c 'exec cat >f'
try "$row" socat limited socat -T 1 -u STDIN PIPE:f

# --- a file ---
# whole CMD... - is the old file there while half of the new one has been sent?
whole() {
	echo old >dst && rm -f half && mkfifo half
	"$@" <half >/dev/null 2>&1 & pid=$! PIDS="$PIDS $!"
	exec 9>half
	echo half >&9
	sleep 0.5
	[ "$(cat dst)" = old ]
	status=$?
	kill $pid 2>/dev/null
	exec 9>&-
	wait $pid 2>/dev/null
	return $status
}
row='DST is the old file or the new one'
try "$row" ipcbox whole $EMULATOR "$IPCBOX" pcopy - dst
try "$row" cat whole sh -c 'exec cat >dst'
try "$row" cp whole cp /dev/stdin dst
try "$row" socat whole socat -u STDIN CREATE:dst

# durable CMD... - does CMD ask the kernel to write the file to the medium?
durable() {
	strace -f -qq -e trace=fsync,fdatasync,syncfs,sync_file_range,sync -o calls "$@" && grep -q 'sync.*= 0$' calls
}
row='exit 0 means: it is on the medium'
if ! have strace || ! strace -o calls true; then
	skip "README says rightly of all: $row" 'no strace'
else
	echo new >src
	try "$row" ipcbox durable $EMULATOR "$IPCBOX" pcopy src dst
	try "$row" cat durable sh -c 'cat src >dst'
	try "$row" cp durable cp src dst
	try "$row" socat durable socat -u OPEN:src CREATE:dst
fi

# --- a record ---
# record - publish a record and read it: the other tools have nothing to try
record() {
	rm -f board
	"$IPCBOX" mmapw -c 1 -i 0 board >/dev/null 2>&1 && "$IPCBOX" mmapr -1 board
}
row='a record that readers never see torn'
try "$row" ipcbox record
for tool in cat cp socat pipesz; do is "README says rightly of $tool: $row" - "$(claim $tool "$row")"; done

# --- a pipe ---
# resized CMD... - has the pipe on stdout another size after CMD?
resized() {
	rm -f sizes
	{ "$@"; box pipecap -g -n 4 4>&1 >sizes; } | { sleep 0.5; cat >/dev/null; }
	grep -qw 8192 sizes
}
row='sets the size of a pipe'
try "$row" ipcbox resized $EMULATOR "$IPCBOX" pipecap -q -s 8192 -o
try "$row" socat resized socat -u STDIN,f-setpipe-sz=8192 STDOUT </dev/null
try "$row" pipesz resized pipesz -s 8192 -o true

row='shows who waits at a pipe'
rm -f f && mkfifo f
cat f & reader=$! PIDS="$PIDS $!"
wait_for sh -c "grep -q '^cat' /proc/$reader/cmdline"
sleep 0.2
# shows CMD... - does CMD name the process that waits at the FIFO?
shows() { within 5 "$@" 2>/dev/null | grep -qw $reader; }
try "$row" ipcbox shows $EMULATOR "$IPCBOX" pipecap -l
try "$row" pipesz shows pipesz -g -f f
kill $reader 2>/dev/null

# --- the box ---
row='one file without a library'
alone() { have readelf && ! readelf -lW "$(readlink -f "$(command -v "$1")")" | grep -q INTERP; }
if ! have readelf; then skip "README says rightly of all: $row" 'no readelf'; else
	try "$row" ipcbox alone "$IPCBOX"
	for tool in cat cp socat pipesz; do ! have $tool || try "$row" $tool alone $tool; done
fi
row="tries the kernel's rules one by one"
try "$row" ipcbox $EMULATOR "$IPCBOX" pipetest -q -t 'tut.p1.*'
