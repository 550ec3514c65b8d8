#!/bin/sh
# Here fifow and fifor lack a system call, or a part of one. They do their work another way, or they
# say what is missing and exit with 1 or 77. Nothing hangs, nothing fails in silence, no message is
# lost, and no file is left behind.
. "${0%/*}/../tap.sh"
. "$room/missing.sh"

LIMIT=5
printf '%010000d\n' 7 >long
printf 'one\ntwo\n' >input
long=$(cat long) lines=$(cat input)
mkdir d; mkfifo d/f
exec 3<>d/f # Each open(2) finds the other side, and the queue stays between the runs.

# judge WHAT NAME WANTED GOT compares the messages that arrived with those that were wanted, and looks
# at the status, the words and the files that the last run left. It adds what is wrong to $bad.
judge() {
	left=$(ls -A d | grep -vx f)
	[ "$1" != write ] && [ "$1" != writev ] || err=$err- # Without these calls no program can say anything.
	case $rc,${err:+said} in
	0,*) [ "$3" = "$4" ] && [ -z "$left" ] && return ;;
	1,said | 77,said) [ -z "$left" ] && case $4 in '' | "$3") return ;; esac ;;
	esac
	bad="$bad
$1, $2: status $rc, left '$left', '$4', '$err'"
}

queue() { box fifor -r -t 1ms d/f 2>/dev/null; }

# write ERROR WHAT WANTED OPTION... [<INPUT] runs fifow without WHAT. Its reader must get WANTED.
write() {
	error=$1 what=$2 wanted=$3; shift 3
	run "$without" "$error" "$what" "$IPCBOX" fifow "$@"
	got=$(box fifor -o plain -t 1ms d/f 2>/dev/null)
	judge "$what" "fifow $*" "$wanted" "$got"
}

# read_fifo ERROR WHAT WANTED OPTION... runs fifor without WHAT. If fifor fails, all that it has not
# printed must still be in the FIFO.
read_fifo() {
	error=$1 what=$2 wanted=$3; shift 3
	run "$without" "$error" "$what" "$IPCBOX" fifor "$@" d/f
	case $rc,$err in 124,*'timed out'*) rc=0 ;; esac # -t has ended fifor, and not $LIMIT.
	rest=$(queue)
	[ $rc = 0 ] || [ "$what" = read ] || [ -n "$out$rest" ] || err= # The message is lost.
	[ $rc = 0 ] || out=
	judge "$what" "fifor $*" "$wanted" "$out"
}

jobs() {
	write "$1" "$2" hello d/f hello
	write "$1" "$2" "$long" -L d/f "$long"
	write "$1" "$2" "$lines" d/f - <input
	write "$1" "$2" "$lines" -b 16k -D newest d/f - <input
	write "$1" "$2" hello -F packet -t 1s --open-timeout 1s d/f hello
	run "$without" "$1" "$2" "$IPCBOX" fifow -p -u -N d/new hello
	[ $rc != 3 ] || rc=0 # Status 3 is right, because nobody reads this FIFO.
	case $err in *"can't remove 'd/new'"*) rm d/new ;; esac
	judge "$2" 'fifow -p -u -N' '' "$(queue)"
	rm -f d/new
	box fifow d/f hello
	read_fifo "$1" "$2" read:hello -n 1
	box fifow d/f hello
	box fifow -L d/f "$long"
	read_fifo "$1" "$2" "$(echo hello; cat long)" -o plain -t 10ms
	box fifow d/f hello
	read_fifo "$1" "$2" hello -r --bytes 6
	box fifow d/f hello
	read_fifo "$1" "$2" flushed=6 --flush
}

calls=$({
	calls_of "$IPCBOX" fifow -L --open-timeout 1s -t 1s d/f "$long"
	calls_of sh -c "exec '$IPCBOX' fifow -b 16k -D newest d/f - <input"
	calls_of "$IPCBOX" fifow -p -u -N d/new hello
	calls_of "$IPCBOX" fifor -n 1 d/f
	calls_of "$IPCBOX" fifor -t 10ms d/f
	calls_of "$IPCBOX" fifor --flush d/f
	calls_of "$IPCBOX" fifor -r -t 10ms d/f
} | sort -u)
for error in $errors; do
	for what in $calls; do
		bad=
		jobs "$error" "$what"
		is "fifow and fifor work without $what, or say why not ($error)" '' "$bad"
	done
	bad=
	for what in $operations; do
		case $what in
		fcntl* | ioctl* | open* | splice* | tee* | clone:* | kill*) jobs "$error" "$what" ;;
		esac
	done
	is "fifow and fifor work without any one part of a call, or say why not ($error)" '' "$bad"
done
