#!/bin/sh
. "${0%/*}/tap.sh"

page=$(getconf PAGESIZE)
slots=16
run box pipecap
is 'a new pipe holds 16 pages' "size=$((slots * page))" "$out"
is 'and says nothing else' '0 ' "$rc $err"

run box pipecap -z $((2 * page))
is '--pipe-size sets the size first' "size=$((2 * page))" "$out"

run box pipecap -w $((page / 2 + 1))
is 'writes of half a page and one byte waste nearly half' "size=$((slots * (page / 2 + 1)))" "$out"

run box pipecap --write=1
is '--write 1 stores what the fast way finds' "size=$((slots * page))" "$out"

if command -v strace >/dev/null && [ -z "$EMULATOR" ] && [ "$(id -u)" = 0 ]; then
	calls=$(strace -f "$IPCBOX" pipecap 2>&1 >/dev/null | wc -l)
	ok "less than 1000 system calls: $calls" test "$calls" -lt 1000
else
	skip 'less than 1000 system calls' 'no strace'
fi

run box pipecap -z 0
is 'a size of 0 is a usage error' 2 "$rc"
like 'that names the culprit' "pipecap: invalid pipe size: '0'*Try 'pipecap --help'." "$err"
run box pipecap extra
is 'an operand is a usage error' 2 "$rc"
