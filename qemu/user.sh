#!/bin/sh
# user.sh ARCH|native - run pipetest under qemu-user or directly, on this machine's kernel
. "${0%/*}/lib.sh"
set -eu
: "${OUT:=obj}" "${IPCBOX_TIMEOUT_SCALE:=1}"
: "${IPCBOX_TIMEOUT:=$((120 * IPCBOX_TIMEOUT_SCALE))}"
if [ "$1" = native ]; then
	name=native emulator=
	set_arch "$(dpkg --print-architecture)"
else
	name=$1-user
	set_arch "$1"
	emulator=qemu-$user-static
	command -v "$emulator" >/dev/null || die "no $emulator: make deps qemu-user"
fi
mkdir -p "$OUT/qemu"
log=$OUT/qemu/$name.log
start=$(date +%s)
timeout -k 5 "$IPCBOX_TIMEOUT" $emulator "$OUT/$arch/ipcbox" pipetest </dev/null >"$log" 2>&1 || :
judge "$name" $(($(date +%s) - start)) "$log"
