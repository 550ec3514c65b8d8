#!/bin/sh
# pipetest as a person at a terminal sees it, and the fixes that a kernel lacks, in every output.
LIMIT=60
. "${0%/*}/../tap.sh"

if ! command -v script >/dev/null; then
	skip 'a terminal gets a field a group' 'no script(1)'
	exit
fi
# What stands on the screen in the end: of each line what the last carriage return left.
screen() {
	script -qc "stty cols 80; $*" typescript >/dev/null 2>&1
	sed 1d typescript | tr -d '\033' | sed 's/\[[0-9]*m//g; s/\r*$//; s/.*\r//' | grep -v '^Script done' | sed '${/^$/d;}'
}
screen "$IPCBOX" pipetest -t 'nbk.*' -t 'pol.*' >seen
like 'a terminal gets a field a group, with its count' '*nonblock *[0-9] ok*poll *[0-9] ok*' "$(cat seen)"
like 'a terminal gets the totals last' '# Totals: pass:*' "$(tail -n 1 seen)"
is 'a terminal gets no line of KTAP' '' "$(grep -E '^(KTAP|1\.\.|ok )' seen)"
screen "$IPCBOX" pipetest >seen
ok 'a whole run without failures fits a screen of 24 lines' test "$(wc -l <seen)" -le 24
is 'pipetest prints no line of more than 80 columns on a terminal' '' "$(awk 'length > 80' seen)"
screen NO_COLOR=1 "$IPCBOX" pipetest -t 'nbk.*' >seen
is 'pipetest prints no colours where NO_COLOR is set' 0 "$(grep -c "$(printf '\033')\\[3" typescript)"
screen "$IPCBOX" pipetest -t 'nbk.*' -n >seen
like 'pipetest prints an output that was asked for by name unchanged on a terminal' '*KTAP version 1*' "$(cat seen)"

if ! command -v cc >/dev/null || [ "$(uname -m)" != x86_64 ] || [ -n "$EMULATOR" ]; then
	skip 'a failure is shown with its rule and its source' 'x86_64 and cc are needed'
	exit
fi
cc -O1 -std=gnu11 -o mutants "$room/mutants.c" || exit
screen ./mutants poll-never "$IPCBOX" pipetest -m 0.1 -t pol.data -t nbk.empty_eagain >seen
like 'a failure is shown with its rule and its source' '*not ok pol.data*rule: *source: *' "$(cat seen)"
like 'the field of a group shows the number of its failures' '*poll * failed*' "$(cat seen)"
screen ./mutants write-less "$IPCBOX" pipetest -m 0.1 -t spl.unknown_flags >seen
like 'the fixes that the kernel lacks are named, with commit and release' \
	'*Your kernel lacks these fixes:*3d6ea290f337 (4.10)*: *' "$(cat seen)"
for form in -q -n --tap; do
	like "pipetest $form names the missing fixes" '*# Your kernel lacks these fixes:*#   3d6ea290f337 (4.10)*: *# Totals: *' \
		"$(./mutants write-less "$IPCBOX" pipetest -m 0.1 -t spl.unknown_flags $form 2>/dev/null)"
done
like 'pipetest -J has the missing fixes in its last object' '*"missing_fixes":?{"case":"spl.unknown_flags","fix":"*","rule":"*"}*' \
	"$(./mutants write-less "$IPCBOX" pipetest -m 0.1 -t spl.unknown_flags -J 2>/dev/null | tail -n 1)"
