#!/bin/sh
# Where a call, or a part of a call, is missing or always fails, pcopy works another way, or says what
# it cannot do and exits with 1 or 77. It does not hang, is not silent, and leaves no file behind.
# FAULTS=all tries seven errors, all jobs, and a DST that does not exist yet.
. "${0%/*}/../tap.sh"
. "$room/missing.sh"

[ "${FAULTS-}" != all ] || errors='ENOSYS EPERM EINVAL EIO ENOSPC ENOMEM EMFILE'
LIMIT=10
head -c 700000 /dev/urandom >src
echo 'the old content' >old
mkdir dir

# attempt ERROR WHAT OPTION... - copies over $was, or to a new name if it is empty, and adds what went
# wrong to $bad. An in-place mode can leave DST damaged, but says so.
attempt() {
	error=$1 what=$2; shift 2
	rm -f dir/dst
	[ -z "$was" ] || cp "$was" dir/dst
	run "$without" "$error" "$what" "$IPCBOX" pcopy "$@" src dir/dst
	got=damaged
	if cmp -s src dir/dst; then got=new
	elif [ -n "$was" ] && cmp -s "$was" dir/dst; then got=old
	elif [ -z "$was" ] && [ ! -e dir/dst ]; then got=old
	fi
	case "$got $1" in 'damaged -u' | 'damaged --inplace') got=old ;; esac
	left=$(find dir -name '.pcopy-*')
	[ "$1$rc" != -R1 ] || left= # --resume keeps its file after a failure
	[ "$what" != write ] || err=$err- # What pcopy says is lost.
	case "$rc $got ${err:+said} $left" in
	'0 new '*' ' | '1 old said ' | '1 new said ' | '77 old said ') ;;
	*) bad="$bad
pcopy $*: status $rc, DST was ${was:-absent}, is $got, '$err' $left" ;;
	esac
	rm -f dir/.pcopy-*
}
jobs() {
	was=old
	attempt "$1" "$2"
	attempt "$1" "$2" -y -B 128k -j 2
	attempt "$1" "$2" -p -c -e cfr --no-sync
	attempt "$1" "$2" -R
	attempt "$1" "$2" --inplace
	[ "${FAULTS-}" = all ] || return
	attempt "$1" "$2" -u -B 128k
	attempt "$1" "$2" -e mmap -B 128k
	attempt "$1" "$2" -e direct -B 128k
	was=
	for options in '' '-y -B 128k -j 2' -R -u --inplace; do
		# shellcheck disable=SC2086 # words
		attempt "$1" "$2" $options
	done
}

cp old dir/dst
calls=$({
	calls_of "$IPCBOX" pcopy src dir/dst
	calls_of "$IPCBOX" pcopy -y -B 128k -j 2 src dir/dst
	calls_of "$IPCBOX" pcopy -p -c -e cfr --no-sync src dir/dst
	calls_of "$IPCBOX" pcopy -R src dir/dst
	calls_of "$IPCBOX" pcopy -u src dir/dst
	calls_of "$IPCBOX" pcopy --inplace src dir/dst
	calls_of "$IPCBOX" pcopy -e mmap src dir/dst
	calls_of "$IPCBOX" pcopy -e direct src dir/dst
	calls_of "$IPCBOX" pcopy src old dir
} | sort -u)
for error in $errors; do
	for what in $calls; do
		bad=
		jobs "$error" "$what"
		is "pcopy works without $what, or says why not ($error)" '' "$bad"
	done
	bad=
	for what in $operations; do
		case $what in
		fcntl* | ioctl* | open* | mmap* | wait* | clone* | prctl* | fallocate*) jobs "$error" "$what" ;;
		esac
	done
	is "pcopy works without any one part of a call, or says why not ($error)" '' "$bad"
done

for what in getpid wait4 linkat 'open:1&O_TMPFILE,openat:2&O_TMPFILE' rt_sigtimedwait flock copy_file_range; do
	cp old dir/dst
	run "$without" ENOSYS "$what" "$IPCBOX" pcopy -j 2 -B 128k src dir/dst
	is "pcopy needs no $what" '0 ' "$rc $err"
	ok "pcopy copies each byte without $what" cmp src dir/dst
done

# The first worker to fail says why. Here strace(1) holds its write(2) until the other has failed, too.
run strace -f -o log -e trace=write -e inject=write:delay_enter=500ms \
	"$without" ENOSYS pread64 "$IPCBOX" pcopy -y -B 128k -j 2 src dir/dst
like 'the worker that fails first prints its message, though another fails before it is printed' \
	"1 *pcopy: can't read 'src' at byte *: Function not implemented" "$rc $err"
