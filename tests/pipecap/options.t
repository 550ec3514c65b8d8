#!/bin/sh
# Which options of pipecap go together, and what the others are answered.
. "${0%/*}/../tap.sh"

mkfifo fifo
exec 8<>fifo

# --- the table of pairs -----------------------------------------------------------------------
# A line for each mode: the options that go with it. All other pairs are usage errors.
options='-w=4096 -z=65536 --packet --hold -f=fifo -n=8 -i -o -e -p=1 -c -q -v -J --pairs'
pairs() {
	mode=$1; shift
	bad=
	for option in $options; do
		word=${option%%=*} value=
		case $option in *=*) value=${option#*=} ;; esac
		# shellcheck disable=SC2086 # words; an empty value is none
		run box pipecap $mode $word $value <&8
		case " $* " in
		*" $word "*) [ "$rc" != 2 ] || bad="$bad $word:refused" ;;
		*)
			case "$rc $err" in
			"2 pipecap: ${mode%% *} does not go with $word"*) ;;
			*) bad="$bad $word:$rc" ;;
			esac
		esac
	done
	is "pipecap ${mode%% *} goes with these options and no others: $*" '' "$bad"
}
pairs -m -w -z --packet -J --pairs
pairs -C -w -z --packet -J --pairs
pairs -I -J --pairs
pairs -l -p -q -J --pairs
pairs -g -f -n -i -o -e -p -c -q -v -J --pairs
pairs -k -f -n -i -o -e -p -c -q -J --pairs
# --hold without a command waits for a signal: its pair has a test in use.t.
options=$(printf %s "$options" | sed 's/--hold //')
pairs '-s 64k' -f -n -i -o -e -p -c -q -v -J --pairs
for one in m C I l g k; do
	for other in m C I l g k; do
		[ $one = $other ] || { run box pipecap -$one -$other; echo "$rc $err"; }
	done
	run box pipecap -$one -s 4k; echo "$rc $err"
done >modes
is 'each two modes of pipecap exclude each other' '' "$(grep -v 'Try' modes | grep -v '^2 pipecap: -[a-zA-Z] and -[a-zA-Z] exclude each other')"
is 'all 36 pairs of modes of pipecap were tried' 36 "$(grep -c '^2 ' modes)"
run box pipecap -g -J --pairs <&8
like '--json and --pairs exclude each other' '2 pipecap: --json and --pairs exclude each other*' "$rc $err"
for mode in -m -C -I -l -g; do
	run box pipecap $mode -- true
	like "pipecap $mode takes no command" "2 pipecap: unexpected operand 'true'*" "$rc $err"
done

# --- wrong, but meant well ----------------------------------------------------------------------
answer() { is "pipecap $1 is answered by how it is written" "2 pipecap: $2" "$rc $(printf '%s\n' "$err" | head -n 1)"; }
run box pipecap --get=3
answer --get=3 "option '--get' takes no argument: write '--get --fd=3'"
run box pipecap -J --get=some/fifo
answer '-J --get=some/fifo' "option '--get' takes no argument: write '--get --file=some/fifo'"
run box pipecap --list=622
answer --list=622 "option '--list' takes no argument: write '--list --pid=622'"
run box pipecap -p 622 f
answer '-p 622 f' "unexpected operand 'f': a FIFO is '-f f'"
run box pipecap -p 622 3
answer '-p 622 3' "unexpected operand '3': descriptor 3 of process 622 is '-p 622:3'"
run box pipecap -k 3
answer '-k 3' "unexpected operand '3': 3 bytes are '-k3', descriptor 3 is '-k -n 3'"
run box pipecap -g 3
answer '-g 3' "unexpected operand '3': descriptor 3 is '-n 3'"
run box pipecap fifo
answer fifo "unexpected operand 'fifo': a FIFO is '-f fifo'"
is 'a command may have words that look like options of pipecap' --get=3 \
	"$(box pipecap -q -s 64k -n 8 -- echo --get=3)"

# --- few descriptors --------------------------------------------------------------------------------
for limit in 4 5 6; do
	run sh -c "ulimit -n $limit; exec $EMULATOR '$IPCBOX' pipecap -g -f fifo"
	like "the message of pipecap -g -f under ulimit -n $limit names the limit" \
		"1 pipecap: can't *: * (ulimit -n is $limit)" "$rc $err"
done

# --- the list for people ------------------------------------------------------------------------------
{ echo 'A line'; sleep 60; } >&8 &
PIDS="$PIDS $!"
run box pipecap -l
head=$(printf '%s\n' "$out" | head -n 1)
like 'pipecap -l begins with a line of titles' '*size *unread *slots *max_slots *writable *wedged *inode *readers *writers *pipe' "$head"
is 'in pipecap -l each title of a number ends where its numbers end' '' "$(printf '%s\n' "$out" | awk '
	NR == 1 { for (i = 1; i <= 7; i++) { at = index($0, $i); end[i] = at + length($i) - 1 } next }
	/^ *[0-9?]+ / { for (i = 1; i <= 7; i++)
		if (substr($0, end[i], 1) == " " || substr($0, end[i] + 1, 1) != " ") { print; break } }')"
is 'in pipecap -l readers, writers and names stand in columns' '' "$(printf '%s\n' "$out" | awk '
	NR == 1 { r = index($0, "readers"); w = index($0, "writers"); p = index($0, "pipe"); next }
	substr($0, r, 1) != "-" && substr($0, r, 1) !~ /[0-9 ]/ || substr($0, r - 1, 1) != " " ||
		length($0) >= w && substr($0, w - 1, 1) != " " || length($0) >= p && substr($0, p - 1, 1) != " "')"

# --- who waits in open(2) of a FIFO --------------------------------------------------------------------
mkfifo read-me write-me 'two words'
cat read-me & reader=$!
sh -c 'exec >write-me' & writer=$!
(cd /; exec cat "$T/two words") & other=$!
PIDS="$PIDS $reader $writer $other"
sleeps_in_open() { box pipecap -l -J -p "$1" | grep -q '"opening":true'; }
if ! [ -r /proc/self/syscall ] || ! wait_for sleeps_in_open $reader; then
	skip 'pipecap shows the processes that wait in open(2) of a FIFO' 'this kernel does not tell'
	exit
fi
wait_for sleeps_in_open $writer
wait_for sleeps_in_open $other
like 'pipecap -l shows the process that waits to open a FIFO for reading' \
	"*{\"name\":\"*/read-me\",\"size\":null,*\"readers\":?{\"pid\":$reader,\"name\":\"cat\",\"fd\":null,\"blocked\":true,\"opening\":true}?,\"writers\":??}*" \
	"$(box pipecap -l -J -p $reader)"
like 'pipecap -l shows the process that waits to open a FIFO for writing' \
	"*{\"name\":\"*/write-me\",*\"readers\":??,\"writers\":?{\"pid\":$writer,\"name\":\"*\",\"fd\":null,\"blocked\":true,\"opening\":true}?}*" \
	"$(box pipecap -l -J -p $writer)"
like 'pipecap -l for people marks the processes that wait in open(2)' "* $reader:open(cat)\\* *read-me*" "$(box pipecap -l -p $reader)"
like 'pipecap -l shows a process that waits in open(2) from another directory' '*/two words*' "$(box pipecap -l -p $other)"
run box pipecap -g -f read-me
is 'pipecap -g of a FIFO that nobody has open is exit 3, and names the process that waits for a writer' \
	"3 pipecap: read-me: nobody has it open; pid $reader (cat) waits in open(2) for a writer" "$rc $err"
run box pipecap -k -f write-me
like 'pipecap -k of a FIFO that nobody has open is exit 3, and names the process that waits for a reader' \
	"3 pipecap: write-me: nobody has it open; pid $writer (*) waits in open(2) for a reader" "$rc $err"
run box pipecap -s 64k -f read-me
is 'pipecap -s of a FIFO that nobody has open is exit 3' 3 "$rc"
ok 'pipecap wakes no process that waits in open(2)' kill -0 $reader
