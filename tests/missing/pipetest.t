#!/bin/sh
# On kernels that lack a call, or a part of a call, pipetest ends in its usual time, without an ERROR,
# and with "not ok" only where a case says that POSIX demands the call. LONG=1 tries three errors and
# all cases; without it one error and a part of the cases are tried.
LIMIT=120
. "${0%/*}/../tap.sh"
. "$room/missing.sh"

# The engine needs these calls; pipetest cannot run a case without them.
engine='fork|pipe|read|write|wait4|mmap'
[ "$LONG" ] && cases='' ||
	cases=$(box pipetest -l | sed 's/ .*//' | grep -vE '\.(pipe2|page|memfd)$' | sed 's/^/-t /')

# judge ERROR WHAT USUAL-TIME prints one line, with "ok" or what is wrong
cat >judge <<'EOF'
dir=$(mktemp -d "$T/missing.XXXXXX")
begin=$(date +%s)
TMPDIR=$dir timeout "$LIMIT" "$T/without" "$1" "$2" "$IPCBOX" pipetest -q $cases >"$dir.out" 2>"$dir.err"
rc=$?
took=$(($(date +%s) - begin))
wrong=$(grep '^not ok' "$dir.out" | grep -vE ' api\.[a-z]*$' | sed 's/not ok [0-9]* //')
why=
[ $rc -le 1 ] || why="$why status $rc;"
grep -q '^# Totals: .* error:0$' "$dir.out" || why="$why errors;"
[ -z "$wrong" ] || why="$why not ok: $(echo $wrong | cut -c1-200);"
[ $took -le $((10 + 4 * $3)) ] || why="$why $took s, usually $3;"
[ ! -s "$dir.err" ] || why="$why says $(head -n 1 "$dir.err");"
[ -z "$(ls "$dir")" ] || why="$why leaves files;"
skips=$(sed -n 's/^# Skips: //p' "$dir.out" | cut -c1-120)
printf '%s\t%s\t%s\t%s s, skips: %s\n' "$1" "$2" "${why:-ok}" $took "$skips"
rm -rf "$dir" "$dir.out" "$dir.err"
EOF
export T LIMIT IPCBOX cases

begin=$(date +%s)
run box pipetest -q $cases
usual=$(($(date +%s) - begin + 1))
like 'pipetest fails no case where all calls are there' '*# Totals: pass:* fail:0 * error:0' "$out"
calls=$(calls_of "$IPCBOX" pipetest $cases | grep -vxE "$engine")
ok 'pipetest makes many calls, which may be missing' test "$(echo "$calls" | wc -l)" -gt 60
for error in $errors; do
	for what in $calls $operations; do echo "$error $what $usual"; done
done | xargs -P 2 -n 3 sh ./judge >judged
while IFS='	' read -r error what verdict table; do
	is "pipetest ends right where $what is $error" ok "$verdict"
	echo "# $table"
done <judged
is 'pipetest fails one case on a kernel without mkfifo' 'not ok 1 api.mkfifo' \
	"$("$without" EPERM mknod,mknodat "$IPCBOX" pipetest -q -t api.mkfifo -t 'fif.*' | grep '^not ok')"
like 'pipetest skips the cases that need mkfifo with the reason no-mkfifo' '*no-mkfifo:*' \
	"$("$without" EPERM mknod,mknodat "$IPCBOX" pipetest -q -t api.mkfifo -t 'fif.*')"
is 'pipetest skips a case whose call is answered by SIGSYS' 0 \
	"$("$without" SIGSYS tee "$IPCBOX" pipetest -q -t 'tee.*' -t 'fio.*' | sed -n 's/.*fail:\([0-9]*\) .*/\1/p')"
