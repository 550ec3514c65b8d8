#!/bin/sh
# user.sh ARCH - run pipetest under qemu-user, on this machine's kernel, and judge it
. "${0%/*}/lib.sh"
set -eu
: "${O:=obj}" "${IPCBOX_TIMEOUT_SCALE:=1}"
set_arch "$1"
name=$arch-user
mkdir -p "$O/qemu"
log=$O/qemu/$name.log result=$O/qemu/$name.result
emulator=qemu-$user-static
command -v "$emulator" >/dev/null || die "no $emulator: make deps qemu-user"
start=$(date +%s)
timeout -k 5 $((60 * IPCBOX_TIMEOUT_SCALE)) "$emulator" "$O/$arch/ipcbox" pipetest </dev/null >"$log" 2>&1 || :
if awk -v name="$name" -v seconds=$(($(date +%s) - start)) -f "$here/judge.awk" "$log" >"$result"; then
	cat "$result"
else
	cat "$result"
	{ grep -B3 '^not ok' "$log" | tail -n 40; echo "--- the last 20 lines of $log:"; tail -n 20 "$log"; } >&2
	exit 1
fi
