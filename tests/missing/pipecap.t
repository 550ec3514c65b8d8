#!/bin/sh
# Where a call, or a part of a call, is missing, pipecap works another way, prints null or ? for what
# it cannot see, or says what is missing and exits with 1, 3 (no process that it may see has a FIFO
# open) or 77. It does not hang and is not silent.
. "${0%/*}/../tap.sh"
. "$room/missing.sh"

LIMIT=10
page=$(getconf PAGESIZE)
size=$((16 * page))
mkfifo fifo
exec 8<>fifo
echo hello >&8

# judge WHAT PATTERN COMMAND - adds what run did wrong without WHAT to $bad
judge() {
	# A list of the processes that pipecap sees is right if the message says that there are more.
	# shellcheck disable=SC2254 # the pattern is the point
	case $rc in
	0) case "$out$err" in $2 | *"can't look into"*processes*) return ;; esac ;;
	1 | 3 | 77) [ -z "$err" ] && [ "$1" != write ] || return ;;
	esac
	bad="$bad
$3 without $1: status $rc, '$out', '$err'"
}
# jobs ERROR WHAT - runs each usual job of pipecap without WHAT
jobs() {
	while IFS='|' read -r args pattern; do
		# shellcheck disable=SC2086 # words
		run "$without" "$1" "$2" "$IPCBOX" pipecap $args
		judge "$2" "$pattern" "pipecap $args"
	done <<-END
	|size=$size
	-m -w 1 -z $((2 * page))|size=$((2 * page))
	-C --pairs -w $page|write='$page' stored='$size' percent='100' writes='16'
	-I -J|*"page_size":$page,*"new_pipe":$size,*
	-g -n 8|fd 8	*	[6?]
	-g -v -J -f fifo|*"size":*,"unread":[6n]*
	-k -f fifo|hello
	-l -J|*"pid":$$,*
	-s $size -n 8|
	-q -s max -f fifo -- $IPCBOX --version|ipcbox *
	END
	run box pipecap -q -s $size -n 8
}

calls=$({
	for args in '' '-m -w 1 -z 64k' '-C -w 1' -I '-g -n 8' '-gv -f fifo' '-k -f fifo' -l '-s 64k -n 8'; do
		# shellcheck disable=SC2086 # words
		calls_of "$IPCBOX" pipecap $args
	done
} | sort -u)
for error in $errors; do
	for what in $calls; do
		bad=
		jobs "$error" "$what"
		is "pipecap works without $what, or says why not ($error)" '' "$bad"
	done
	for what in $operations; do
		case $what in fcntl* | ioctl* | open* | mmap* | tee* | clone* | wait* | prctl* | kill*) ;; *) continue ;; esac
		bad=
		jobs "$error" "$what"
		is "pipecap works without $what, or says why not ($error)" '' "$bad"
	done
done

# WSL1 was a kernel without F_GETPIPE_SZ.
without_size() { run "$without" EINVAL 'fcntl:1=F_GETPIPE_SZ' "$IPCBOX" pipecap "$@"; }
without_size
is 'pipecap measures a pipe by filling it where F_GETPIPE_SZ is missing' "0 size=$size " "$rc $out $err"
without_size -C -J -w $((page / 2 + 1))
is 'pipecap -C has the percentage of what the pipe took where F_GETPIPE_SZ is missing' \
	"0 {\"write\":$((page / 2 + 1)),\"stored\":$((16 * (page / 2 + 1))),\"percent\":50,\"writes\":16}" "$rc $out"
without_size -I -J
like 'pipecap -I measures a new pipe and has null for slots where F_GETPIPE_SZ is missing' \
	"0 *\"new_pipe\":$size,\"slots\":null,*\"quota_reached\":null*" "$rc $out"
without_size -g -J -n 8
like 'pipecap -g tells the unread bytes where F_GETPIPE_SZ is missing, and null for what only that call tells' \
	'0 *"size":null,"unread":6,"slots":null,"max_slots":null,"writable":null,*' "$rc $out"
without_size -k -n 8
is 'pipecap -k copies what is queued where F_GETPIPE_SZ is missing' '0 hello' "$rc $out"
run "$without" EINVAL fcntl:1=F_SETPIPE_SZ "$IPCBOX" pipecap -s 64k -n 8
like 'pipecap -s is exit 77 where F_SETPIPE_SZ is missing' '77 pipecap: *Invalid argument' "$rc $err"
