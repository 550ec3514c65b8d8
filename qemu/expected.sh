#!/bin/sh
# expected.sh TARGET... - what the boards differ in: $OUT/EXPECTED, and its difference to
# qemu/EXPECTED for those that passed. To accept it: cp obj/EXPECTED qemu/
. "${0%/*}/lib.sh"
set -u
: "${OUT:=obj}"
new=$OUT/EXPECTED

boards=
for t; do
	case $t in native | *-user) continue ;; esac # their kernel is this machine's
	! grep -q ' pass ' "$OUT/qemu/$t.result" || boards="$boards $t"
done
[ -n "$boards" ] || exit 0
all=$(printf '%s\n' $boards | grep -v -e '-tests$' | tr '\n' ' ') # that ran pipetest

# "TARGET CASE what", a line for each skip, expected failure and informational value that is
# not of the moment: no addresses, times and counts of a race.
facts() {
	for t in $boards; do
		tr -d '\r' <"$OUT/qemu/$t.log" | awk -v t="$t" '
			/^# / { if (on && !/^#   |0x|[0-9] us$|reads:|[0-9] ns|pid |process [0-9]|split|pieces|writers of|half to|seed |pipetest on /) note[++n] = substr($0, 3); next }
			/^1\.\./ { on = 1 }
			/^(not )?ok / { name = $1 == "not" ? $4 : $3
				if (/ # (SKIP|XFAIL) /) { sub(/.* # /, ""); print t, name, $0 }
				else for (i = 1; i <= n; i++) print t, name, note[i]
				n = 0; on = 1 }'
	done
}
# The targets of the same line together; "all" are all that ran pipetest.
collapse() {
	awk -v all="$all" 'BEGIN { count = split(all, b, " ") }
		{ t = $1; sub(/^[^ ]+ /, ""); if (!($0 in who)) order[++n] = $0
		if (index(" " who[$0] " ", " " t " ")) next
		who[$0] = who[$0] (who[$0] == "" ? "" : " ") t; seen[$0]++ }
		END { for (i = 1; i <= n; i++) print order[i] " | " (seen[order[i]] == count && order[i] !~ /^tests\./ ? "all" : who[order[i]]) }' | sort
}
expand() {
	awk -F ' [|] ' -v boards="$boards" -v all="$all" '/^#/ { next } { k = split($NF == "all" ? all : $NF, who, " ")
		for (i = 1; i <= k; i++) if (index(boards " ", " " who[i] " ")) print who[i], substr($0, 1, length($0) - length($NF) - 3) }' "$1" | sort
}
{
	echo '# What the boards differ in: skips, expected failures and informational values,'
	echo '# CASE WHAT | TARGETS. Made by make qemu-all, which prints what changes.'
	facts | collapse
} >"$new"

[ -e "$here/EXPECTED" ] || exit 0
expand "$here/EXPECTED" >"$new.old"
expand "$new" >"$new.now"
if cmp -s "$new.old" "$new.now"; then
	echo 'as qemu/EXPECTED says'
else
	echo 'what differs from qemu/EXPECTED:'
	diff "$new.old" "$new.now" | grep '^[<>]'
fi
rm -f "$new.old" "$new.now"
