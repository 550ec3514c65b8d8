#!/bin/sh
# Where a call, or a part of a call, is missing, mmapw and mmapr work another way, or say what is
# missing and exit with 1 or 77. They do not hang, are not silent, and leave no file behind.
. "${0%/*}/../tap.sh"
. "$room/missing.sh"

LIMIT=5
# judge WHAT NAME GOOD - adds what run did wrong without WHAT to $bad; GOOD is yes if the board is right
judge() {
	left=$(ls -A board.d | grep -v '^b$')
	case $rc in
	0) [ "$3" = yes ] && [ -z "$left" ] && return ;;
	1 | 77) { [ -n "$err" ] || [ "$1" = write ]; } && [ -z "$left" ] && return ;;
	esac
	bad="$bad
$1, $2: status $rc, left '$left', '$out', '$err'"
}
good() { "$@" && echo yes; }

# jobs ERROR WHAT - runs each usual job of mmapw and mmapr without WHAT
jobs() {
	rm -rf board.d; mkdir board.d
	run "$without" "$1" "$2" "$IPCBOX" mmapw board.d/b id=1
	judge "$2" 'mmapw of a new file' "$(good [ "$(box mmapr -1 -o id board.d/b 2>/dev/null)" = id=1 ])"
	rm -rf board.d; mkdir board.d; box mmapw board.d/b id=1
	run "$without" "$1" "$2" "$IPCBOX" mmapw board.d/b id=2
	judge "$2" 'mmapw of an old file' "$(good [ "$(box mmapr -1 -o id board.d/b)" = id=2 ])"
	run "$without" "$1" "$2" "$IPCBOX" mmapw --persist --replace -S id:i8 board.d/b id=3
	judge "$2" 'mmapw --replace' "$(good [ "$(box mmapr -1 board.d/b)" = id=3 ])"
	rm -rf board.d; mkdir board.d; box mmapw board.d/b id=1
	run sh -c "echo id=4 | '$without' '$1' '$2' '$IPCBOX' mmapw board.d/b -"
	judge "$2" 'mmapw of a line' "$(good [ "$(box mmapr -1 -o id board.d/b)" = id=4 ])"
	rm -rf board.d; mkdir board.d
	run "$without" "$1" "$2" "$IPCBOX" mmapw --unlink board.d/b id=5
	judge "$2" 'mmapw --unlink' "$(good [ ! -e board.d/b ])"
	rm -rf board.d; mkdir board.d; box mmapw board.d/b id=4
	run "$without" "$1" "$2" "$IPCBOX" mmapr -1 -o id board.d/b
	judge "$2" 'mmapr -1' "$(good [ "$(box mmapr -1 -o id board.d/b)" = "$out" ])"
	run "$without" "$1" "$2" "$IPCBOX" mmapr -f -s 0 -t 10ms -o id board.d/b
	[ $rc != 124 ] || rc=0 # the time limit of -t, not of LIMIT
	judge "$2" 'mmapr -f' "$(good [ "$(box mmapr -1 -o id board.d/b)" = "$out" ])"
	run "$without" "$1" "$2" "$IPCBOX" mmapr --info board.d/b
	case $out in version:*time:*) got=yes ;; *) got= ;; esac
	judge "$2" 'mmapr --info' "$got"
}

rm -rf board.d; mkdir board.d
calls=$({
	calls_of "$IPCBOX" mmapw board.d/b id=1
	calls_of "$IPCBOX" mmapw --persist --replace -S id:i8 board.d/b id=1
	calls_of sh -c "echo id=1 | exec '$IPCBOX' mmapw board.d/b -"
	calls_of "$IPCBOX" mmapr -f -t 10ms board.d/b
	rm board.d/b
	calls_of "$IPCBOX" mmapw --unlink board.d/b id=1
	box mmapw board.d/b id=1
	calls_of "$IPCBOX" mmapr --info board.d/b
} | sort -u)
for error in $errors; do
	for what in $calls; do
		bad=
		jobs "$error" "$what"
		is "mmapw and mmapr work without $what, or say why not ($error)" '' "$bad"
	done
	bad=
	for what in $operations; do
		case $what in fcntl* | ioctl* | open* | mmap* | mremap* | fallocate*) jobs "$error" "$what" ;; esac
	done
	is "mmapw and mmapr work without any one part of a call, or say why not ($error)" '' "$bad"
done

# The locks that stand in for a missing one keep writers apart, and tell mmapr that a writer lives.
mkdir -p lock.d
for what in fcntl:1=F_OFD_SETLK fcntl:1=F_OFD_SETLK,fcntl:1=F_OFD_GETLK; do
	rm -f lock.d/b
	run "$without" EINVAL "$what" "$IPCBOX" mmapw -v lock.d/b id=1
	like "mmapw -v says that another lock stands in for $what" \
		"0 mmapw: no F_OFD_SETLK here (Linux 3.15): F_SETLK, not flock(2), stands in*" "$rc $err"
	"$without" EINVAL "$what" "$IPCBOX" mmapw -X lock.d/b id=2 & pid=$! PIDS="$PIDS $!"
	wait_for sh -c "[ \"\$('$IPCBOX' mmapr -1 -o id lock.d/b)\" = id=2 ]"
	run "$without" EINVAL "$what" "$IPCBOX" mmapw lock.d/b id=3
	like "a second writer is refused without $what" "3 mmapw: 'lock.d/b' is held by pid $pid (*" "$rc $err"
	run box mmapw lock.d/b id=3
	like "a writer on a kernel with all locks is refused by one without $what" "3 mmapw: 'lock.d/b' is held by pid $pid (*" "$rc $err"
	run "$without" EINVAL "$what" "$IPCBOX" mmapr -1W -o id lock.d/b
	is "mmapr -W sees the writer without $what" '0 id=2' "$rc $out"
	kill $pid
	wait $pid 2>/dev/null || :
done
