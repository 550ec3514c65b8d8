#!/bin/sh
# pipetest -d in the directory of a hostile user, as root: the cases empty no other directory.
. "${0%/*}/../tap.sh"
# shellcheck disable=SC2016 # the inner shell expands

if [ "$(id -u)" != 0 ] || [ -n "$EMULATOR" ] || ! command -v setpriv >/dev/null || ! command -v strace >/dev/null; then
	skip 'pipetest copes with a directory of a hostile user' 'not root, emulated, no setpriv or no strace'
	exit
fi
chmod 755 "$T"
mkdir victim victim/sub && touch victim/file victim/sub/file && ln -s file victim/link
mkdir -m 700 empty
as_stranger='setpriv --reuid 65534 --regid 65534 --clear-groups sh -c'
# The delay makes the race certain. pipetest asks statfs(2) last, when it knows its directory.
before_chdir='inject=chdir:delay_enter=700000:when=1'
after_look='inject=?statfs,?statfs64:delay_exit=700000:when=1'

# attack DELAY SHELL-COMMAND: pipetest makes its directory in mine/, where it belongs to a stranger.
# He moves it away during the delay and runs the command, in which $1 is its name.
attack() {
	rm -rf mine && mkdir mine && mkdir mine/roots mine/full && touch mine/full/file && chown 65534 mine
	$as_stranger 'cd mine
		while set -- pipetest.*; ! [ -d "$1" ]; do sleep 0.01; done
		mv "$1" away && '"$2" & stranger=$!
	run strace -f -qq -o /dev/null -e "$1" "$IPCBOX" pipetest -d mine -t 'fif.*' -t 'prm.*'
	wait "$stranger"
	is "the stranger's command succeeds: $2" 0 $?
}
victims() { ls -R victim; ls mine/full; }
whole=$(ls -R victim; echo file)
# refused NAME COMMAND WHY: pipetest notices what the stranger did before its chdir(2).
refused() {
	attack "$before_chdir" "$2"
	like "pipetest refuses $1" "1 pipetest: can't make a directory in 'mine': $3" "$rc $err"
	is "where pipetest refuses $1 the victim's files are all there" "$whole" "$(victims)"
}

refused 'a link to a full directory' 'ln -s ../victim "$1"' 'it belongs to user 65534'
refused 'a link to an empty directory of root' 'ln -s ../empty "$1"' 'it belongs to user 65534'
refused "a stranger's directory" 'mkdir "$1"' 'it belongs to user 65534'
refused "a stranger's full directory" 'mkdir "$1" && touch "$1/file"' 'it belongs to user 65534'
refused 'a full directory of root, which took the name' 'mv full "$1" && mkdir full && touch full/file' \
	'another one has taken its place'

# After that look pipetest is in its own directory, whatever now has the name.
attack "$after_look" 'ln -s ../victim "$1"'
like 'pipetest runs in its own directory after a stranger has moved that away' \
	'*# Totals: pass:[1-9]* fail:0 xfail:* error:0' "$out"
is "pipetest empties no directory that has the name of its own" "$whole" "$(victims)"
is 'pipetest empties its own directory after a stranger has moved that away' '' "$(ls mine/away)"
is 'pipetest removes the directory that it made when its first one was moved away' '' \
	"$(find mine -type d -name 'pipetest.*')$err"

# --- what another user put into a directory that all can write to
mkdir -m 700 closed
for mode in 1777 777; do
	mkdir -m $mode "m$mode"
	$as_stranger "cd m$mode && mkfifo fifo && ln -s ../closed way && truncate -s 1T sparse && ln -s /dev/zero link"
	run box pipetest -d "m$mode/way" -t fif.create
	is "pipetest -d does not follow a stranger's link in a directory of mode $mode" \
		"1 pipetest: can't open 'm$mode/way': a link on its way belongs to user 65534, in a directory that others can write to" "$rc $err"
	run box pipetest -b -t 'setup.*' -D 200ms --compare "m$mode/link"
	is "pipetest --compare does not follow a stranger's link in a directory of mode $mode" \
		"1 pipetest: can't open 'm$mode/link': a link on its way belongs to user 65534, in a directory that others can write to" "$rc $err"
	run box pipetest -b -t 'setup.*' -D 200ms --compare "m$mode/fifo"
	is "pipetest --compare does not wait for the writer of a stranger's FIFO in a directory of mode $mode" \
		"1 pipetest: can't use 'm$mode/fifo': not a regular file" "$rc $err"
	run sh -c 'ulimit -v 200000; exec "$@"' sh "$IPCBOX" pipetest -b -t 'setup.*' -D 200ms --compare "m$mode/sparse"
	is "pipetest --compare does not read 1 TiB of a stranger's sparse file in a directory of mode $mode" \
		"1 pipetest: 'm$mode/sparse' is over 1 MiB, or has a NUL byte" "$rc $err"
done

# --compare has looked at the file, and then a link to root's file takes its place.
if [ "$(uname -m)" = x86_64 ]; then # other machines have no open(2)
	: >m777/former; echo secret >closed/former
	strace -o log -e trace=open "$IPCBOX" pipetest -b -t 'setup.*' -D 200ms --compare m777/former 2>/dev/null
	held open "$(grep -n /proc/self/fd/ log | head -n 1 | cut -d: -f1)" -- pipetest -b -t 'setup.*' -D 200ms --compare m777/former
	$as_stranger 'cd m777 && mv former away && ln -s ../closed/former former'
	let_go
	is 'pipetest --compare reads the file that it looked at, not one to which a new link leads' \
		"1 pipetest: 'm777/former' is empty" "$rc $err"
else
	skip 'pipetest --compare reads the file that it looked at' 'not x86_64'
fi

rm -rf mine && mkdir mine && touch mine/file
run box pipetest -d mine -t fif.create
is 'pipetest -d does not mind that its parent has files' 0 "$rc"
is 'pipetest -d leaves only the files that were there' file "$(ls mine)"
