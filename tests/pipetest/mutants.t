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
like 'the table of mutants names a case that nothing breaks' '1 *bas.zero.pipe * NOTHING BREAKS IT*' "$rc $out"
run "$T/mutants" none "$IPCBOX" pipetest -t 'bas.*' -t 'map.*' -q
like 'the supervisor without a mutation breaks no case' '# Totals: pass:* fail:0 * error:0' "$out"
run "$T/mutants" sigpipe-lost "$IPCBOX" pipetest -t 'tut.p6.*'
like 'a kernel that loses SIGPIPE fails tut.p6' '*not ok * tut.p6.sigpipe_kills.pipe*' "$out"
