#!/bin/sh
# The quick form of make check-mutants: the tutorial's cases, each broken once.
LIMIT=200
. "${0%/*}/../tap.sh"

if [ "$(uname -m)" != x86_64 ] || [ -n "$EMULATOR" ] || ! command -v cc >/dev/null; then
	skip 'each case fails under a wrong kernel' 'x86_64 and cc are needed'
	exit
fi
run env CASES='tut.*' IPCBOX="$IPCBOX" "$room/mutants.sh" "$T"
is 'each case of the tutorial fails under a wrong kernel' 0 "$rc"
like 'the table of mutants names the mutation that breaks a case' '*
tut.p5.full_blocks.pipe * write-loses*' "$out"
run env CASES='bas.z*' MUTATIONS='poll-never' IPCBOX="$IPCBOX" "$room/mutants.sh" "$T"
like 'the table of mutants names a case that nothing breaks' '1 *bas.zero_read.pipe * NOTHING BREAKS IT*' "$rc $out"
run "$T/mutants" none "$IPCBOX" pipetest -t 'bas.*' -t 'map.*' -q
like 'the supervisor without a mutation breaks no case' '*# Totals: pass:* fail:0 * error:0' "$out"
run "$T/mutants" sigpipe-lost "$IPCBOX" pipetest -t 'tut.p6.*'
like 'a kernel that loses SIGPIPE fails tut.p6' '*not ok * tut.p6.sigpipe_kills.pipe*' "$out"

# A kernel that never closes an end: readers wait for an end of file that does not come.
took() { begin=$(date +%s); run "$@"; took=$(($(date +%s) - begin)); }
some="-m 0.05 -t eof.* -t blk.* -t tut.p*"
set -f
# shellcheck disable=SC2086 # words
took "$T/mutants" none "$IPCBOX" pipetest $some
usual=$took
# shellcheck disable=SC2086 # words
took "$T/mutants" close-nothing "$IPCBOX" pipetest $some
set +f
like 'a case that hangs names the call that did not return, with its arguments' \
	'*# this call did not return: read(3, *# killed at its time limit of *' "$out"
like 'a case whose job hangs names the call that still blocks, with its arguments' \
	'*# read(3, 11) still blocks, expected it to return 0 *not ok * tut.p1.no_write.pipe*' "$out"
rules=$(printf '%s\n' "$out" | sed -n 's/^not ok [0-9]* //p' | sed -E 's/\.(pipe2?|page|fifo)$//' | sort -u | wc -l)
ok "more than 20 rules fail where close(2) does nothing: $rules" test "$rules" -gt 20
ok "rules that hang take a twentieth of 5 minutes with -m 0.05: $took s, usually $usual s" \
	test "$took" -le $((15 + usual))
