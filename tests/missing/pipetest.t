#!/bin/sh
# On kernels that lack a call, or a part of a call, pipetest ends in its usual time, without an ERROR,
# and with "not ok" only where a case says that POSIX demands the call. Each call is tried with cases
# that make it, 40 at most, and with 20 others. LONG=1 tries three errors and all cases.
LIMIT=120
. "${0%/*}/../tap.sh"
. "$room/missing.sh"

# The engine needs these calls; pipetest cannot run a case without them.
engine='fork|pipe|read|write|wait4|mmap'

# judge ERROR WHAT USUAL-TIME prints one line, with "ok" or what is wrong
cat >judge <<'EOF'
dir=$(mktemp -d "$T/missing.XXXXXX")
begin=$(date +%s)
cases=$(awk -F'\t' -v what="$2" '$1 == what { print $2 }' users)
TMPDIR=$dir timeout "$LIMIT" "$T/without" "$1" "$2" "$IPCBOX" pipetest -q $cases >"$dir.out" 2>"$dir.err"
rc=$?
took=$(($(date +%s) - begin))
wrong=$(grep '^not ok' "$dir.out" | grep -vE ' api\.[a-z]*$' | sed 's/not ok [0-9]* //')
why=
[ $rc -le 1 ] || [ $rc = 4 ] || why="$why status $rc;"
grep -q '^# Totals: .* error:0$' "$dir.out" || why="$why errors;"
[ -z "$wrong" ] || why="$why not ok: $(echo $wrong | cut -c1-200);"
[ $took -le $((10 + 4 * $3)) ] || why="$why $took s, usually $3;"
[ ! -s "$dir.err" ] || why="$why says $(head -n 1 "$dir.err");"
[ -z "$(ls "$dir")" ] || why="$why leaves files;"
skips=$(sed -n 's/^# Skips: //p' "$dir.out" | cut -c1-120)
ran=$(sed -n 's/^# Totals: //p' "$dir.out")
printf '%s\t%s\t%s\t%s s, %s, skips: %s\n' "$1" "$2" "${why:-ok}" $took "$ran" "$skips"
rm -rf "$dir" "$dir.out" "$dir.err"
EOF
export T LIMIT IPCBOX

# users WHAT... prints a line for each, with the cases that make the call, as the trace of a whole run
# shows: the calls of a case's processes precede the line in which the engine prints its result.
cat >users.awk <<'EOF'
function look(call, condition) { # "1=F_SETFL" is a name in the line, "0<0" a negative first argument
	if (condition == "" || condition ~ /=[0-9]+$/) return call "\\("
	return call "\\(" (condition ~ /</ ? "-" : ".*" substr(condition, 3))
}
FILENAME != "trace" {
	all[++n] = $1
	for (parts = split($1, part, ","); parts; parts--) {
		call = part[parts]; sub(/:.*/, "", call)
		condition = part[parts]; if (!sub(/^[^:]*:/, "", condition)) condition = ""
		of[call] = of[call] " " n; pattern[call, n] = look(call, condition)
	}
	next
}
!engine { engine = $1 }
$1 == engine && /write\(1, "(not )?ok / {
	name = $0; sub(/.*ok [0-9]+ /, "", name); sub(/[ \\].*/, "", name)
	names[++cases] = name
	for (i = 1; i <= n; i++) if (made[i]) uses[i] = uses[i] " " name
	split("", made)
	next
}
$1 != engine && match($0, /[a-z][a-z0-9_]*\(/) {
	call = substr($0, RSTART, RLENGTH - 1)
	if (call in of)
		for (k = split(of[call], which, " "); k; k--)
			if (!made[which[k]] && $0 ~ pattern[call, which[k]]) made[which[k]] = 1
}
function choose(text, most,   name, count, step, k, line) {
	count = split(text, name, " ")
	step = count > most ? count / most : 1
	for (k = 1; k < count + 1; k += step) line = line " -t " name[int(k)]
	return line
}
END {
	for (i = 1; i <= cases; i++) everyone = everyone " " names[i]
	for (i = 1; i <= n; i++)
		print all[i] "\t" (long ? "" : "-t api.*" choose(uses[i], 40) choose(everyone, 20))
}
EOF

begin=$(date +%s)
run box pipetest -q
usual=$(($(date +%s) - begin + 1))
like 'pipetest fails no case where all calls are there' '*# Totals: pass:* fail:0 * error:0' "$out"
strace -f -qq -s 64 -o trace "$IPCBOX" pipetest >/dev/null 2>&1
calls=$(sed -nE 's/^[0-9]+ +([a-z][a-z0-9_]*)\(.*/\1/p' trace | sort -u | grep -vxE "$needed|$engine")
ok 'pipetest makes many calls, which may be missing' test "$(echo "$calls" | wc -l)" -gt 60
for what in $calls $operations; do echo "$what"; done >whats
awk -v long="$LONG" -f users.awk whats trace >users
is 'each call has cases to be tried with' "$(wc -l <whats)" "$(wc -l <users)"
for error in $errors; do
	for what in $calls $operations; do echo "$error $what $usual"; done
done | xargs -P 2 -n 3 sh -f ./judge >judged
while IFS='	' read -r error what verdict table; do
	is "pipetest ends right where $what is $error" ok "$verdict"
	echo "# $table"
done <judged
is 'pipetest fails one case on a kernel without mkfifo' 'not ok 1 api.mkfifo' \
	"$("$without" EPERM mknod,mknodat "$IPCBOX" pipetest -q -t api.mkfifo -t 'fif.*' | grep '^not ok')"
like 'pipetest skips the cases that need mkfifo with the reason no-mkfifo' '*no-mkfifo:*' \
	"$("$without" EPERM mknod,mknodat "$IPCBOX" pipetest -q -t api.mkfifo -t 'fif.*')"
like 'pipetest ends all processes of a case where neither kill of a group nor PR_SET_PDEATHSIG is there' '* error:0' \
	"$("$without" EPERM 'kill:0<0,prctl:0=PR_SET_PDEATHSIG' "$IPCBOX" pipetest -q | grep '^# Totals')"
is 'pipetest skips a case whose call is answered by SIGSYS' 0 \
	"$("$without" SIGSYS tee,memfd_create "$IPCBOX" pipetest -q -t 'tee.*' -t 'fio.*' -t 'mfd.*' | sed -n 's/.*fail:\([0-9]*\) .*/\1/p')"
