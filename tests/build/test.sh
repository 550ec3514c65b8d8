#!/bin/sh
# test.sh IPCBOX - run the tests that need a shell and nothing else on the built binary: make test
#
# They use no compiler, no network, no privilege and no variable of the environment. They run side by
# side, for they wait more than they compute, and for a minute at most: test.sh names each file that
# does not end in it, and does not call it passed. It names each file that it skips, too: the applets
# that such a file calls are off.
set -u
cd "${0%/*}/../.." || exit
files='box/box fifo/options fifo/fifow fifo/fifor board/mmapr board/mmapw pcopy/report'
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
on=$(${EMULATOR-} "$1" --list | tr '\n' ' ')
run=
for file in $files; do
	off=$(lacks "$file")
	if [ -n "$off" ]; then echo "skipped: tests/$file.t, for $off is off"; continue; fi
	run="$run $file"
	{
		env -i PATH="$PATH" HOME=/ TMPDIR="${TMPDIR:-/tmp}" EMULATOR="${EMULATOR-}" IPCBOX="$1" \
			timeout -k 1 $seconds sh "tests/$file.t" >"$logs/${file%/*}-${file#*/}" 2>&1 </dev/null
		echo $? >"$logs/${file%/*}-${file#*/}.rc"
	} &
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
