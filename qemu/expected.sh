#!/bin/sh
# expected.sh TARGET... - write what the boards differ in to $OUT/EXPECTED, and print how that differs
# from qemu/EXPECTED, for the boards that passed. "cp obj/EXPECTED qemu/" accepts the new file.
#
# SPDX-License-Identifier: 0BSD
. "${0%/*}/lib.sh"
set -u
: "${OUT:=obj}"
new=$OUT/EXPECTED
every="$(names board) $(names here) $(names tests | sed 's/$/-tests/')"

passed() { grep -q ' pass ' "$OUT/qemu/$1.result" 2>/dev/null; }
ran='' compared=0 missed=
for t in $every; do
	case " $* " in *" $t "*) ;; *) missed="$missed $t"; continue ;; esac
	# The facts of the sandbox are those that native, the same kernel without a filter, does not have.
	if passed "$t" && { [ "$t" != sandbox ] || passed native; }; then
		ran="$ran $t" compared=$((compared + 1))
	else
		missed="$missed $t"
	fi
done
[ $compared -gt 0 ] || exit 0
users= # their kernel is this machine's: only failures with a reason are facts of them
for t; do
	case $t in *-user) if passed "$t"; then users="$users $t"; else missed="$missed $t"; fi ;; esac
done
kernels=$(names board | while read -r b; do case " $ran " in *" $b "*) printf '%s ' "$b" ;; esac; done)

# facts_of TARGET prints "TARGET CASE what", a line for each skip, each expected failure and each
# informational value. It leaves out what changes from run to run: addresses, times, counts of a race,
# and the data sheet behind the second header.
facts_of() {
	tr -d '\r' <"$OUT/qemu/$1.log" | awk -v t="$1" '
		/^KTAP version 1$/ && headers++ { exit }
		/^# / { if (on && !/^#   |0x|[0-9] [um]s$|reads:|[0-9] ns|pid |process [0-9]|split|pieces|writers of|half to|seed |of two blocked writers the |pipetest on /) note[++n] = substr($0, 3); next }
		/^1\.\./ { on = 1 }
		/^(not )?ok / { name = $1 == "not" ? $4 : $3
			if (/^not ok .* # EXPECTED /) { sub(/.* # EXPECTED /, ""); sub(/: /, " not ok: "); print t, $0 }
			else if (/ # (SKIP|XFAIL) /) { sub(/.* # /, ""); print t, name, $0 }
			else for (i = 1; i <= n; i++) print t, name, note[i]
			n = 0; on = 1 }'
}
facts() {
	for t in $ran; do
		if [ "$t" = sandbox ]; then
			{ facts_of native; facts_of sandbox; } | awk '{ fact = $0; sub(/^[^ ]+ /, "", fact) }
				$1 == "native" { here[fact]; next } !(fact in here)'
		else
			facts_of "$t"
		fi
	done
	# A reason that EXPECTED gives to "user" is that of each architecture under qemu-user.
	for t in $users; do
		facts_of "$t" | grep ' not ok: ' | while read -r t fact; do
			! grep -qxF "$fact | user" "$here/EXPECTED" || t=user
			echo "$t $fact"
		done
	done
}
# sometimes prints the expected failures that a run may lack.
sometimes() {
	sed -n '/^[^#].* not ok: .*now and then | /p' "$here/EXPECTED" 2>/dev/null | while read -r line; do
		for t in ${line##*| }; do
			case " $ran$users${users:+ user} " in *" $t "*) echo "$t ${line% | *}" ;; esac
		done
	done
}
# collapse joins the targets of the same fact; "all" stands for all kernels of the table that ran.
collapse() {
	awk -v kernels="$kernels" 'BEGIN { count = split(kernels, k, " "); for (i in k) is_kernel[k[i]] }
		{ t = $1; sub(/^[^ ]+ /, ""); if (!($0 in seen)) { order[++n] = $0; seen[$0] = 0 }
		if (index(" " who[$0] more[$0] " ", " " t " ")) next
		if (t in is_kernel) { who[$0] = who[$0] " " t; seen[$0]++ } else more[$0] = more[$0] " " t }
		END { for (i = 1; i <= n; i++) print order[i] " |" (count && seen[order[i]] == count ? " all" : who[order[i]]) more[order[i]] }' | sort
}
expand() {
	awk -F ' [|] ' -v ran="$ran$users${users:+ user}" -v kernels="$kernels" '/^#/ { next }
		{ names = $NF; sub(/^all/, kernels, names); k = split(names, who, " ")
		for (i = 1; i <= k; i++) if (index(ran " ", " " who[i] " ")) print who[i], substr($0, 1, length($0) - length($NF) - 3) }' "$1" | sort -u
}
{
	echo '# What the boards differ in: skips, expected failures and informational values,'
	echo '# CASE WHAT | TARGETS. "all" are the boards with a kernel of Linux. Made by make qemu-all,'
	echo '# which prints what changes. "CASE not ok: REASON" is written by hand: that failure is'
	echo '# expected there; CASE may end in .* for all kinds of a case. A reason that ends with "now'
	echo '# and then" stays where the case did not fail.'
	{ facts; sometimes; } | collapse
} >"$new"

[ -e "$here/EXPECTED" ] || exit 0
expand "$here/EXPECTED" >"$new.old"
expand "$new" >"$new.now"
if ! cmp -s "$new.old" "$new.now"; then
	echo 'what differs from qemu/EXPECTED:'
	diff "$new.old" "$new.now" | grep '^[<>]'
elif [ -z "$missed" ]; then
	echo "all $compared boards are as qemu/EXPECTED says"
else
	echo "$compared boards are as qemu/EXPECTED says"
fi
[ -z "$missed" ] || echo "not compared, for they did not run or did not pass:$missed"
rm -f "$new.old" "$new.now"
