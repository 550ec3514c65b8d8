#!/bin/sh
# Where fs.protected_hardlinks is off, a user gives a second name to a file, a FIFO or a link of
# root's in a directory that he can write to, and root's job writes to that name. Here root makes the
# links for him, since the sysctl may be on and is everybody's. The files belong to root, so that
# their owner says nothing about who made the name.
. "${0%/*}/../tap.sh"

if [ "$(id -u)" != 0 ] || [ -n "$EMULATOR" ]; then
	skip 'no applet writes to what a stranger has given a second name' 'not root, or emulated'
	exit
fi
chmod 755 "$T"
umask 022
mkdir -m 700 closed
box mmapw closed/board id=7
echo new >src; chmod 600 src
: >closed/empty; echo old >closed/file; chmod 644 closed/file
mkfifo closed/fifo; ln -s "$T/closed/file" closed/link; ln -s "$T/closed/board" closed/way
exec 7<>closed/fifo # a message that leaves is seen
echo queued >&7
whole() { cksum closed/board closed/file closed/empty; stat -c '%n %a %u' closed/*; box pipecap -g -f closed/fifo; ls closed; }
before=$(whole)
# put UID MODE FILE: a new directory, where FILE of root has the name dst, too
put() { rm -rf dir; mkdir dir; chown "$1:65534" dir; chmod "$2" dir; ln "$3" dir/dst; }
# refused WHAT APPLET ARG...
refused() {
	what=$1; shift
	case $what in *link) it='a link on its way' ;; *) it=it ;; esac
	run box "$@"
	is "a second name of $what in a directory of user $uid, mode $mode, is refused: $*" "1 $1: can't open 'dir/dst':\
 $it has 2 hard links, in a directory that others can write to: remove this one first" "$rc $err"
}
all_refuse() {
	put "$uid" "$mode" closed/file
	for options in '' --inplace -u -R -p -f; do refused "root's file" pcopy $options src dir/dst; done
	put "$uid" "$mode" closed/board
	for options in '' '--replace -S x:i8' --unlink; do refused "root's board" mmapw $options dir/dst; done
	put "$uid" "$mode" closed/empty
	refused "root's empty file" mmapw dir/dst id=1
	put "$uid" "$mode" closed/fifo
	for options in -N '-p -u -N'; do refused "root's FIFO" fifow $options dir/dst x; done
	refused "root's FIFO" fifow --hold dir/dst
	for options in '-t 10ms' '-p -t 10ms' '--hold -t 10ms' --flush; do refused "root's FIFO" fifor $options dir/dst; done
	refused "root's FIFO" pcopy src dir/dst
	put "$uid" "$mode" closed/link
	refused "root's link" pcopy src dir/dst
	refused "root's link" pcopy dir/dst src
	put "$uid" "$mode" closed/way
	refused "root's link" mmapw dir/dst id=1
	refused "root's link" mmapr -1 dir/dst
	is "nothing is left behind in a directory of user $uid, mode $mode" dst "$(ls -A dir)"
}
some_refuse() {
	put "$uid" "$mode" closed/file
	refused "root's file" pcopy src dir/dst
	put "$uid" "$mode" closed/board
	refused "root's board" mmapw dir/dst
	put "$uid" "$mode" closed/fifo
	refused "root's FIFO" fifow -p -N dir/dst x
}
uid=0
mode=777; all_refuse
mode=1777; some_refuse
mode=775; some_refuse
uid=65534 mode=755; some_refuse
is 'what root has behind a second name stays as it was' "$before" "$(whole)"

# Reading takes nothing, and a directory that root alone can write to has root's own links.
put 0 777 closed/board
run box mmapr -1 -o id dir/dst
is 'mmapr reads a board that has two names' '0 id=7 ' "$rc $out $err"
run box pcopy dir/dst copy
ok 'pcopy reads a SRC that has two names' cmp copy closed/board
put 0 755 closed/file
run box pcopy --inplace src dir/dst
is "pcopy --inplace writes to root's own hard link in root's own directory" '0  new new' "$rc $err $(cat dir/dst closed/file | paste -sd ' ')"
put 0 755 closed/board
run box mmapw dir/dst id=8
is "mmapw writes to root's own hard link in root's own directory" '0 id=8 ' "$rc $(box mmapr -1 -o id closed/board) $err"
echo his >his; chown 65534 his; put 65534 755 his
run box pcopy --inplace src dir/dst
is "pcopy --inplace writes to a file with two names that belongs to the directory's owner" '0  new' "$rc $err $(cat his)"
