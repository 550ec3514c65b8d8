#!/bin/sh
. "${0%/*}/../tap.sh"

# fifor as the keeper of a queue: --hold, --flush, --exclusive.
spawn() { exec $EMULATOR "$IPCBOX" "$@"; }
held() { "$IPCBOX" fifow -N -F line f "$@"; }
mkfifo f

spawn fifor --hold f & holder=$!
ok '--hold: a writer finds a reader' wait_for held a
held bc
run box fifor --flush f
is '--flush throws the queue away' '0 flushed=5' "$rc $out"
is 'and says so in JSON' '{"flushed":0}' "$(box fifor --flush -J f)"
held kept
run box fifor -n 1 f
is 'what came since is for the next reader' '0 read:kept' "$rc $out"
kill $holder; wait $holder
is '--hold ends with a signal' 143 $?
run box fifow -N f a
is 'and with it the queue' 3 "$rc"

run box fifor --hold f -- sh -c 'for m in 1 2; do "$1" fifow -N f $m; done; "$1" fifor -n 2 -t 5 f; exit 7' sh "$IPCBOX"
is '--hold -- CMD: as long as CMD, and with its status' "$(printf '7 read:1\nread:2')" "$rc $out"
mkfifo end; spawn fifor --exclusive --hold f -- cat end & holder=$!
wait_for held a
run box fifor f
is 'with --exclusive it keeps others out' 3 "$rc"
: >end; wait $holder
spawn fifor --hold f & holder=$!
wait_for held a
rm f; mkfifo f
ok 'a FIFO that was replaced is held too' wait_for held b
kill $holder; wait $holder
run box fifor --hold f -- ./nope
is 'a command that is not there' "127 fifor: can't run './nope': No such file or directory" "$rc $err"
run box fifor --hold f -- /
is 'a command that cannot be run' 126 "$rc"

spawn fifor -X f >got & reader=$!
ok '--exclusive reads' wait_for held one
run box fifor f
is 'a second reader is refused' "3 fifor: 'f' has a reader already" "$rc $err"
run box fifor -X f
is 'an exclusive one too' 3 "$rc"
rm f; mkfifo f
wait_for held two
run box fifor -X f
is 'also where the FIFO is another by now' 3 "$rc"
kill -9 $reader; wait $reader 2>/dev/null
run box fifor -X -t 10ms f
is 'the place of a dead one is free' 124 "$rc"
spawn fifor f >got & reader=$!
wait_for held two
run box fifor --exclusive f
is 'where another reads, --exclusive is refused' 3 "$rc"
kill $reader; wait $reader
run box fifor f extra
is 'a command without --hold is a usage error' 2 "$rc"
