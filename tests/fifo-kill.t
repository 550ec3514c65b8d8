#!/bin/sh
. "${0%/*}/tap.sh"

# Eight writers, numbered messages, one reader after the other, all of them killed. The
# interval lets the writers live longer than the first five readers.
LIMIT=60 writers=8 each=${MESSAGES:-10000}
spawn() { exec $EMULATOR "$IPCBOX" "$@"; }
mkfifo f

# send ARG...: the pids are in $pids
send() {
	pids=
	for w in $(seq $writers); do
		seq -f "$w %.0f end" "$each" >in.$w
		spawn fifow "$@" -i 100us f - <in.$w & pids="$pids $!"
	done
}
# receive SIGNAL ARG...: five readers die of it, the sixth reads to the end
receive() {
	signal=$1; shift
	rm -f got.*
	for r in 1 2 3 4 5; do
		spawn fifor "$@" -o plain f >got.$r & reader=$!
		wait_for test -s got.$r
		[ $r = 3 ] && [ "$signal" = KILL ] && kill -9 "${pids##* }"
		kill -"$signal" $reader; wait $reader 2>/dev/null
	done
	timeout $LIMIT "$IPCBOX" fifor "$@" --open-timeout 5 -e exit -o plain f >got.6
}
whole() { cat got.* | grep -v '^[1-8] [0-9]* end$'; }

for frame in packet line len; do
	kind=auto; [ $frame = len ] && kind=len
	send -F $frame
	receive TERM -F $kind
	is "$frame: readers that get SIGTERM lose nothing" $((writers * each)) "$(cat got.* | sort -u | wc -l)"
	is "$frame: and no message comes twice, split or mixed" "$((writers * each)) " "$(cat got.* | wc -l) $(whole)"
	wait
	send -F $frame
	receive KILL -F $kind
	# The line that a killed reader was writing may be cut.
	for r in 1 2 3 4 5; do sed '$d' got.$r >kept; mv kept got.$r; done
	is "$frame: none is split or mixed after SIGKILL to readers and a writer" '' "$(whole)"
	is "$frame: none comes twice" '' "$(cat got.* | sort | uniq -d)"
	lost=$((7 * each - $(cat got.* | grep -vc '^8')))
	ok "$frame: what is lost is what five readers held in memory: $lost" test $lost -lt $((5 * 65536 / 6))
	wait
done
