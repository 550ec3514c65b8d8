#!/bin/sh
. "${0%/*}/../tap.sh"

# fifor as the keeper of a queue: --hold, --flush, --exclusive.
spawn() { exec $EMULATOR "$IPCBOX" "$@"; }
held() { "$IPCBOX" fifow -N -F line f "$@"; }
mkfifo f

spawn fifor --hold f & holder=$!
ok 'a writer finds a reader while fifor --hold runs' wait_for held a
held bc
run box fifor --flush f
is '--flush throws the queue away' '0 flushed=5' "$rc $out"
is '--flush -J says in JSON how many bytes it threw away' '{"flushed":0}' "$(box fifor --flush -J f)"
held kept
run box fifor -n 1 f
is 'a message that came after --flush is for the next reader' '0 read:kept' "$rc $out"
kill $holder; wait $holder
is 'SIGTERM ends fifor --hold with 143' 143 $?
run box fifow -N f a
is 'a writer finds no reader when fifor --hold has ended' 3 "$rc"

run box fifor --hold f -- sh -c 'for m in 1 2; do "$1" fifow -N f $m; done; "$1" fifor -n 2 -t 5 f; exit 7' sh "$IPCBOX"
is 'fifor --hold -- CMD holds the FIFO as long as CMD runs, and has its status' "$(printf '7 read:1\nread:2')" "$rc $out"
mkfifo end; spawn fifor --exclusive --hold f -- cat end & holder=$!
wait_for held a
run box fifor f
is 'fifor --exclusive --hold keeps other readers out' 3 "$rc"
: >end; wait $holder
spawn fifor --hold f & holder=$!
wait_for held a
rm f; mkfifo f
ok 'fifor --hold holds a FIFO that replaced the one before' wait_for held b
kill $holder; wait $holder
run box fifor --hold f -- ./nope
is 'fifor --hold of a command that is not there is exit 127' "127 fifor: can't run './nope': No such file or directory" "$rc $err"
run box fifor --hold f -- /
is 'fifor --hold of a command that cannot be run is exit 126' 126 "$rc"

spawn fifor -X f >got & reader=$!
ok 'a writer finds a reader while fifor --exclusive runs' wait_for held one
run box fifor f
is 'a second reader is refused while fifor --exclusive runs' "3 fifor: 'f' has a reader already" "$rc $err"
run box fifor -X f
is 'a second fifor --exclusive is refused' 3 "$rc"
rm f; mkfifo f
wait_for held two
run box fifor -X f
is 'a second fifor --exclusive is refused where the FIFO was replaced' 3 "$rc"
kill -9 $reader; wait $reader 2>/dev/null
run box fifor -X -t 10ms f
is 'the place of a killed fifor --exclusive is free' 124 "$rc"
spawn fifor f >got & reader=$!
wait_for held two
run box fifor --exclusive f
is 'fifor --exclusive is refused where another reads' 3 "$rc"
kill $reader; wait $reader
run box fifor f extra
is 'a command without --hold is a usage error' 2 "$rc"

# --timeout counts from the start, whoever comes and goes.
run box fifow --hold -t 100ms f
is 'fifow --hold -t ends without a reader' "124 fifow: timed out: 'f' has no reader" "$rc $err"
run box fifow --hold -t 100ms f -- echo in vain
is 'fifow --hold -t runs no command without a reader' "124 " "$rc $out"
mkfifo held; exec 8<>held
bg fifow --hold -t 3 held 2>err
wait_for sh -c "ls -l /proc/$pid/fd | grep -q '/held\$'"
rm held; mkfifo held
exec 8>&-
wait "$pid"
is 'fifow --hold -t ends although the name got another FIFO, which has no reader' \
	"124 fifow: timed out: 'held' has no reader" "$? $(cat err)"
