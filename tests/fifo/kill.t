#!/bin/sh
. "${0%/*}/../tap.sh"

# Eight writers, numbered messages, one reader after the other: $KILLS of them are killed,
# in six rounds. The feeds go on until that is done.
LIMIT=${LONG:-60} writers=8 readers=$(((${KILLS:-1000} + 5) / 6))
spawn() { exec $EMULATOR "$IPCBOX" "$@"; }
mkfifo f

# feed W: numbers until ./enough is there; how many is in sent.W
feed() {
	n=0
	while [ ! -e enough ]; do
		seq $((n + 1)) $((n + 500)) | sed "s/.*/$1 & end/" 2>/dev/null || break
		n=$((n + 500))
	done
	echo $n >"sent.$1"
}
# send ARG...: the pids are in $pids
send() {
	rm -f enough sent.*
	pids=
	for w in $(seq $writers); do
		feed "$w" | spawn fifow "$@" -i 100us f - & pids="$pids $!"
	done
}
# receive SIGNAL ARG...: the readers die of it, the last one reads to the end
receive() {
	signal=$1; shift
	rm -f got.*
	for r in $(seq $readers); do
		spawn fifor "$@" -o plain f >got.$r & reader=$!
		wait_for test -s got.$r
		[ $r = 3 ] && [ "$signal" = KILL ] && kill -9 "${pids##* }"
		kill -"$signal" $reader; wait $reader 2>/dev/null
	done
	: >enough
	timeout $LIMIT "$IPCBOX" fifor "$@" --open-timeout 5 -e exit -o plain f >got.last
	wait
}
whole() { cat got.* | grep -v '^[1-8] [0-9]* end$'; }
sent() { cat "$@" | awk '{ n += $1 } END { print n }'; }

for frame in packet line len; do
	if [ $frame = packet ] && ! has_packets; then
		skip 'packets: what is lost when readers and writers are killed' 'no pipes of packets'
		continue
	fi
	kind=auto; [ $frame = len ] && kind=len
	send -F $frame
	receive TERM -F $kind
	all=$(sent sent.*)
	is "$frame: $readers readers that get SIGTERM lose nothing" "$all" "$(cat got.* | sort -u | wc -l)"
	is "$frame: and no message comes twice, split or mixed" "$all " "$(cat got.* | wc -l) $(whole)"
	send -F $frame
	receive KILL -F $kind
	# The line that a killed reader was writing may be cut.
	sed -i '$d' got.[0-9]*
	is "$frame: none is split or mixed after SIGKILL to $readers readers and a writer" '' "$(whole)"
	is "$frame: none comes twice" '' "$(cat got.* | sort | uniq -d)"
	lost=$(($(sent sent.[1-7]) - $(cat got.* | grep -vc '^8')))
	ok "$frame: what is lost is what the readers held in memory: $lost" \
		test $lost -ge 0 -a $lost -lt $((readers * 65536 / 6))
done
