#!/bin/sh
# mutants.sh OBJ - each case of class P or L must fail under at least one wrong kernel
#
# Runs $IPCBOX pipetest under each mutation of mutations.h, and prints a table: each case, and the
# mutations that break it. The status is 1 if nothing breaks a case.
#   ALL=1             the whole table, in half an hour: else a broken case is not run again
#   CASES=GLOB        only these cases
#   MUTATIONS='a b'   only these mutations
#   SHORT=0.1         a multiple of the usual time limits: a machine under load needs more
set -f
obj=$1 tests=${0%/*}
: "${CASES:=*}" "${SHORT:=0.1}"
supervisor=$obj/mutants
T=$(mktemp -d) || exit
trap 'rm -rf "$T"' EXIT
trap 'exit 1' INT TERM

[ "$(uname -m)" = x86_64 ] || { echo 'mutants.c knows the registers of x86_64 only' >&2; exit 77; }
${HOSTCC:-cc} -O1 -std=gnu11 -Wall -Wextra -o "$supervisor" "$tests/mutants.c" || exit

# judge FILE-OF-NAMES MUTATION - prints the results of these cases under the mutation
judge() {
	# shellcheck disable=SC2046 # words
	"$supervisor" "$2" "$IPCBOX" pipetest -m "$SHORT" $(sed 's/^/-t /' "$1") 2>/dev/null
}

# One kind of pipe stands for all, because all kinds run the same function.
"$IPCBOX" pipetest -l -c PL -t "$CASES" | sed -n 's/ .*//; /\.\(pipe2\|page\|fifo\|file\)$/!p' >"$T/cases"
judge "$T/cases" none >"$T/none"
sed -n 's/^ok [0-9]* \([^ ]*\)$/\1/p' "$T/none" >"$T/left"
if grep '^not ok' "$T/none"; then
	echo 'these fail without any mutation: under load, perhaps; SHORT=1 gives them more time'
	exit 1
fi
cp "$T/left" "$T/judged"
touch "$T/table"
for mutation in ${MUTATIONS:-$("$supervisor" -l | sed 1d)}; do
	[ -s "$T/left" ] || break
	judge "$T/left" "$mutation" | sed -n 's/^not ok [0-9]* \([^ ]*\).*/\1/p' >"$T/broken"
	[ -t 2 ] && printf '%-24s %s\n' "$mutation" "$(wc -l <"$T/broken")" >&2
	sed "s/\$/ $mutation/" "$T/broken" >>"$T/table"
	if [ -z "$ALL" ]; then
		grep -vxFf "$T/broken" "$T/left" >"$T/rest"
		mv "$T/rest" "$T/left"
	fi
done

sed -n 's/^ok [0-9]* \([^ ]*\) # SKIP \(.*\)/# not judged: \1 is skipped here: \2/p' "$T/none"
awk 'FILENAME == ARGV[1] { by[$1] = by[$1] " " $2; next }
	{ printf "%-32s%s\n", $1, by[$1] == "" ? " NOTHING BREAKS IT" : by[$1] }
	by[$1] == "" { whole++ }
	END {
		printf "# %d cases of class P and L: nothing breaks %d of them\n", FNR, whole
		exit whole > 0
	}' "$T/table" "$T/judged"
