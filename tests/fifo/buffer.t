#!/bin/sh
. "${0%/*}/../tap.sh"

# fifow --buffer and --drop: what arrives and what is reported as dropped is what was sent.
spawn() { exec $EMULATOR "$IPCBOX" "$@"; }
numbers() { seq "$@" | awk '{ printf "%d %0100d\n", $1, 0 }'; } # more than the pipes between can hide
mkfifo f in

# Each number is there or is told as dropped, at its place: sent=, told=
account() {
	sed -E 's/.*"lost":0,"data":"(.*)"\}/\1/; s/.*"lost":([0-9]*),"data":"(.*)"\}/dropped \1 \2/' "$@" | awk '$1 == "dropped" { last += $2; told += $2; if (NF == 2) next; $1 = $3 }
		$1 != last + 1 { print "expected", last + 1, "got", $1; bad = 1; exit }
		{ last++ }
		END { if (!bad) print last + 0, (told ? "with drops" : "") }'
}
asleep() { grep -q '^State:.S' "/proc/$1/status"; }
drained() { asleep $writer && [ "$(box pipecap -g -f f | cut -f 3)" = 0 ] && asleep $reader && asleep $writer; }
reached() { case $(account got) in "$1 "*) ;; *) return 1 ;; esac }
stopped() { grep -q '^State:.T' "/proc/$1/status"; }
field() { grep -o "\"$1\":[0-9]*" "$2" | cut -d : -f 2; }

packets=packet; has_packets || packets=

# A reader that stalls five times, while 2,000 messages come each time. A frame tells what is
# missing before it: the last one is sent when there is room.
stall() {
	: >got
	spawn fifow -D "$1" -b 16k -F "$2" --stats -J f - <in 2>err & writer=$!
	format='-o plain'; [ "$2" != len ] || format=-J
	spawn fifor -F "${3:-auto}" $format f >got 2>/dev/null & reader=$!
	exec 8>in
	wait_for asleep $reader # gVisor forgets a SIGSTOP that comes during execve(2).
	for end in 2000 4000 6000 8000 10000; do
		kill -STOP $reader; wait_for stopped $reader
		numbers $((end - 1999)) $end >&8 & feeder=$!
		[ "$1" = none ] || wait $feeder
		kill -CONT $reader
		case $2 in len) wait_for drained ;; *) wait_for reached $end ;; esac
	done
	[ "$2" != len ] || { numbers 10001 10001 >&8; wait_for reached 10001; }
	exec 8>&-
	wait $writer; rc=$?
	kill $reader; wait $reader
}
for frame in $packets line 'len len'; do
	for drop in newest oldest; do
		stall $drop $frame
		all=10000; [ "$frame" = packet ] || [ "$frame" = line ] || all=10001
		is "--drop=$drop, $frame: messages are in order, and all that is missing is reported" "0 $all with drops" "$rc $(account got)"
		is "--drop=$drop, $frame: --stats counts all messages that were sent" "$(grep -vc dropped got) $all" \
			"$(field messages err) $(($(field messages err) + $(field dropped err)))"
	done
done
[ -n "$packets" ] || skip '--drop=newest and --drop=oldest with packets: what is missing is reported' 'no pipes of packets'
stall none "${packets:-line}"
is '--drop=none: all messages arrive' '0 10000 ' "$rc $(account got)"
is '--drop=none: --stats counts no message as dropped' '10000 0' "$(field messages err) $(field dropped err)"

# No reader for as long as messages come.
numbers 10000 >many
all_read() { [ "$(box pipecap -g -f in | cut -f 3)" = 0 ]; }
# late DROP ARG...: the writer has read all before the reader comes; $got has the numbers short
late() {
	drop=$1; shift
	spawn fifow -b 8k -D "$drop" f <in 2>/dev/null & writer=$!
	cat many >in & feeder=$!
	[ "$drop" = none ] || { wait $feeder; wait_for all_read; }
	timeout 20 "$IPCBOX" fifor -t 10 -e exit "$@" f >got 2>err
	wait $writer
}
late oldest -o plain
is '--drop=oldest without a reader keeps the last messages' '10000 with drops dropped 10000' \
	"$(account got) $(sed -n '1s/ .*//p; $s/ .*//p' got | xargs)"
late newest -o plain
is '--drop=newest without a reader keeps the first messages' '10000 with drops 1 dropped' \
	"$(account got) $(sed -n '1s/ .*//p; $s/ .*//p' got | xargs)"
late none -o plain
is '--drop=none without a reader lets the feed wait, and all messages arrive' '10000 ' "$(account got)"
late newest -J --stats
told=$(sed -n 's/.*"data":"dropped \([0-9]*\)".*/\1/p' got)
is 'a message of JSON says how many are missing' 10000 $(($(wc -l <got) - 1 + told))
is 'what is only text is no loss for JSON and --stats' ' 0' "$(field lost got) $(sed -n 's/.*"dropped":\([0-9]*\).*/\1/p' err)"
spawn fifow -b 8k -D oldest -F len f <in & writer=$!
cat many >in
timeout 20 "$IPCBOX" fifor -t 10 -e exit -F len -J f >got 2>err; wait $writer
lost=0; for n in $(field lost got); do lost=$((lost + n)); done
is 'the numbers of frames tell how many are missing, also before the first one' 10000 $(($(wc -l <got) + lost))
is 'frames carry no text about what is missing' 0 "$(grep -c '"data":"dropped' got)"

# Readers that leave: what is queued goes to the next one.
spawn fifow -b 1M f <many & writer=$!
for n in 100 1 2000 7899; do timeout 20 "$IPCBOX" fifor -t 10 -n $n -o plain f; done >got
wait $writer
is 'a reader that leaves takes no queued message with it' '0 10000 ' "$? $(account got)"
spawn fifow -b 100 -F line -L f <<-END & writer=$!
	short
	$(printf %010000d 1)
	end
END
timeout 20 "$IPCBOX" fifor -t 10 -e exit -F line -o plain f >got; wait $writer
is 'a message larger than the queue goes without it' '5 10000 3' "$(awk '{ print length($0) }' got | xargs)"
spawn fifow -b 1k -n 3 f <many & writer=$!
timeout 20 "$IPCBOX" fifor -t 10 -e exit -o plain f >got; wait $writer
is 'fifow --buffer --count counts the messages that were read' '3 ' "$(account got)"

# The memory is what was asked for, however much comes.
kilobytes() { sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$writer/status"; }
if [ -z "$EMULATOR" ] && grep -q VmHWM /proc/self/status; then
	for drop in newest oldest; do
		spawn fifow -b 1M -D $drop f <in & writer=$!
		exec 8>in
		numbers 100 >&8
		wait_for children_of "$writer"
		first=$(kilobytes)
		for n in 1 2 3; do cat many >&8; done
		second=$(kilobytes)
		for n in 1 2 3 4 5 6 7 8 9; do cat many >&8; done
		third=$(kilobytes)
		ok "fifow -b 1M -D $drop takes $first, $second, $third KiB after 10 KB, 3 MB, 12 MB" \
			test $((second - first)) -le 2048 -a $((third - second)) -le 128
		kill $writer; wait $writer
		exec 8>&-
	done
else
	skip 'the memory of fifow --buffer stays what was asked for' 'of an emulator, or no VmHWM in /proc/PID/status'
fi

# Ends: signals, time limits, a feed that never pauses.
spawn fifow -b 8k -D oldest --stats -J f <in 2>err & writer=$!
cat many >in
wait_for all_read
wait_for children_of "$writer"; child=$(children_of "$writer")
kill $writer; wait $writer
is 'SIGTERM ends fifow --buffer without a reader with 143' 143 $?
is '--stats counts what was queued at SIGTERM as dropped' '0 10000' "$(field messages err) $(field dropped err)"
gone() { ! grep -q '^State:.[^Z]' "/proc/$child/status" 2>/dev/null; }
ok 'fifow --buffer leaves no child behind after SIGTERM' gone
exec 9<>f
spawn fifow -b 8k -D newest --stats -J f <in 2>err & writer=$!
cat many >in
kill $writer; wait $writer
is 'SIGTERM ends fifow --buffer with 143 when its reader stalls' 143 $?
run box fifor -F packet -t 100ms -o plain f
is '--stats counts the messages that are in the pipe after SIGTERM' "$(field messages err)" "$(printf '%s\n' "$out" | grep -vc dropped)"
yes | (run box fifow -b 1k -D newest -t 200ms f; echo "$rc $err") >got
is '--timeout ends fifow --drop under a feed without end' "124 fifow: timed out: 'f' is full" "$(cat got)"
exec 9<&-
yes | (run box fifow -b 1k -D oldest --open-timeout 200ms f; echo "$rc $err") >got
is '--open-timeout ends fifow --drop under a feed without end' "124 fifow: timed out: 'f' has no reader" "$(cat got)"
spawn fifow -b 1k -D oldest --stats -J f <in 2>err & writer=$!
exec 8>in
numbers 5000 >&8
kill -USR1 $writer
ok 'SIGUSR1 prints the counts of fifow while there is no reader' wait_for test -s err
ok "SIGUSR1 tells of $(field dropped err) dropped messages of 5000" test "$(field dropped err)" -gt 4000
exec 8>&-
kill $writer; wait $writer
exec 9<>f
run sh -c '"$0" fifow -b 1k -D newest f - </' "$IPCBOX"
is 'fifow --buffer says that its stdin cannot be read' "1 fifow: can't read standard input: Is a directory" "$rc $err"

exec 9<&-

if has_strace; then
	echo x | strace -f -o calls "$IPCBOX" fifow -b 1k -t 1 f 2>err
	polls=$(grep -c 'poll(' calls)
	ok "fifow --buffer waits with $polls polls: for the message, the end, the watches, the reader" test "$polls" -ge 1 -a "$polls" -le 4
else
	skip 'fifow --buffer waits with four polls' 'no strace, or no PTRACE_GET_SYSCALL_INFO'
fi
for args in '-b 0 f -' '-b x f -' '-D newest f -' '-b 1k -D x f -' '-b 1k f a' '-b 1k -N f -' '-b 1k -r f -'; do
	run box fifow $args
	is "usage: fifow $args" 2 "$rc"
done
