#!/bin/sh
# REPORTS, and the cases: each case that it names is there, and fails under the lie that it names.
LIMIT=100
. "${0%/*}/../tap.sh"
reports=$top/applets/pipetest/cases/REPORTS
[ -f "$reports" ] || { skip 'REPORTS names the cases of pipetest' 'no source here'; exit; }

is 'REPORTS fits 80 columns' '' "$(awk 'length > 80' "$reports")"

# CASE LIE, CASE class P, or CASE LIE: SKIP REASON
sed -n 's/^ \{22\}\([a-z]*\.[a-z0-9_.]*\) (\(.*\))$/\1 \2/p' "$reports" | sort -u >entries
ok 'REPORTS has entries' test "$(wc -l <entries)" -gt 70
is 'each report has a case' "$(grep -c '^[A-Za-z-]* [0-9][0-9]*  ' "$reports")" \
	"$(grep -c '^ \{22\}[a-z]*\.[a-z0-9_.]* (.*)$' "$reports")"
sed -n 's/^\([A-Za-z-]*\) [0-9][0-9]*  .*/\1/p' "$reports" | sort -u >cited
sed -n 's/^  \([A-Za-z-]*\)  *[^ ]*\/[^ ]*$/\1/p' "$reports" | sort >trackers
is 'the trackers of the reports are those that are listed' "$(cat trackers)" "$(cat cited)"

# The rules, and their cases: bas.size of bas.size.pipe, one kind of pipe of each
box pipetest -x -l | awk '{ for (i = 2; i < NF && $i !~ /^[PLIBE]$/; i++); print $1, $i }' >listed
rows() { awk -v rule="$1" '$1 == rule || index($1, rule ".") == 1' listed; }
while read -r rule lie; do
	case $lie in
	'class '?) [ "$(rows "$rule" | sed 's/.* //' | sort -u)" = "${lie#class }" ] ;;
	*) rows "$rule" | grep -q ' [PL]$' ;;
	esac || echo "$rule ($lie)"
done <entries >wrong
is 'each case of REPORTS is there, of the class that it says, else of P or L' '' "$(cat wrong)"

if [ "$(uname -m)" != x86_64 ] || [ -n "$EMULATOR" ] || ! command -v cc >/dev/null; then
	skip 'each case of REPORTS fails under its lie' 'x86_64 and cc are needed'
	exit
fi
cc -O1 -std=gnu11 -o mutants "$room/mutants.c" || exit
grep -v ' class ' entries | sed 's/^[^ ]* //; s/:.*//' | sort -u | while read -r lie; do
	awk -v lie="$lie" '{ l = $2; sub(/:$/, "", l) } l == lie { print $1 }' entries >rules
	while read -r rule; do rows "$rule" | sed -n '1s/ .*//p'; done <rules >cases
	# shellcheck disable=SC2046 # words
	"$T/mutants" "$lie" "$IPCBOX" pipetest -m 0.1 $(sed 's/^/-t /' cases) </dev/null 2>/dev/null >told
	while read -r rule; do
		name=$(rows "$rule" | sed -n '1s/ .*//p') want='not ok [0-9]* '"$name"'$'
		case $(grep -F "$rule $lie:" entries) in *SKIP*) want="ok [0-9]* $name # SKIP no-" ;; esac
		grep -q "^$want" told || echo "$rule ($lie): $(grep -a " $name" told)"
	done <rules
done >passed
is 'each case of REPORTS fails under its lie' '' "$(cat passed)"
