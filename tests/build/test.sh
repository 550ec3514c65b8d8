#!/bin/sh
# test.sh IPCBOX - run the tests that need a shell and nothing else on the built binary: make test
#
# They use no compiler, no network, no privilege and no variable of the environment. The tests of
# pipecap come first, one after the other, for they use up the pipes that a user may have. The others
# run side by side, for they wait more than they compute. All have a minute: test.sh names each file
# that does not end in it, and does not call it passed. It names each file that it skips, too: the
# applets that such a file calls are off.
set -u
cd "${0%/*}/../.." || exit
files='pipecap/pipecap pipecap/options pipecap/use box/box fifo/options fifo/fifow fifo/fifor board/mmapr board/mmapw pcopy/report'
seconds=60

logs=$(mktemp -d "${TMPDIR:-/tmp}/ipcbox-test.XXXXXX") || exit
trap 'rm -rf "$logs"' EXIT
trap 'exit 1' INT TERM
umask 022
# needs FILE: the applets that its tests call
needs() {
	case $1 in
	box/*) echo pipecap fifow fifor mmapw mmapr pcopy pipetest ;;
	fifo/*) echo fifow fifor ;;
	board/*) echo mmapw mmapr ;;
	*) echo "${1%/*}" ;;
	esac
}
# lacks FILE: the first of them that is off
lacks() {
	for name in $(needs "$1"); do
		case " $on " in *" $name "*) ;; *) echo "$name"; return ;; esac
	done
}
end=$(($(date +%s) + seconds))
# try FILE: run it, in what is left of the time; keep what it prints, and its status
try() {
	left=$((end - $(date +%s)))
	env -i PATH="$PATH" HOME=/ TMPDIR="${TMPDIR:-/tmp}" EMULATOR="${EMULATOR-}" IPCBOX="$box" \
		timeout -k 1 $((left > 0 ? left : 1)) sh "tests/$1.t" >"$logs/${1%/*}-${1#*/}" 2>&1 </dev/null
	echo $? >"$logs/${1%/*}-${1#*/}.rc"
}
box=$1
on=$(${EMULATOR-} "$box" --list | tr '\n' ' ')
run=
for file in $files; do
	off=$(lacks "$file")
	if [ -n "$off" ]; then echo "skipped: tests/$file.t, for $off is off"; continue; fi
	run="$run $file"
	case $file in
	pipecap/*) try "$file" ;;
	*) try "$file" & ;;
	esac
done
wait
failed=0 passed=0 late=
for file in $run; do
	log=$logs/${file%/*}-${file#*/}
	passed=$((passed + $(grep -c '^ok ' "$log")))
	case $(cat "$log.rc") in
	124 | 137) late="$late $file"; grep -q '^not ok' "$log" || continue ;;
	*) ! grep -q '^not ok' "$log" && grep -q '^1\.\.[1-9]' "$log" && continue ;;
	esac
	failed=$((failed + 1))
	echo "tests/$file.t:"
	grep -A8 '^not ok' "$log" || tail -n 8 "$log"
done
[ -z "$late" ] || echo "no time was left for all of:$late"
echo "make test: $passed assertions passed, $failed of $(echo $run | wc -w) files have failures"
[ $failed = 0 ] && [ $passed -gt 0 ]
