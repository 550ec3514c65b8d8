#!/bin/sh
# user.sh TARGET - run pipetest as a program of this machine, judge what it prints, and measure the
# data sheet
#
# TARGET: native; ARCH or ARCH-user, under qemu-user; gvisor, under the kernel of $RUNSC (runsc or
# runsc.xz); sandbox, under the filter of sandbox.sh. gvisor-tests runs tests/*/*.t there. The log
# is $OUT/qemu/NAME.log, the verdict NAME.result. Environment: IPCBOX_TIMEOUT (seconds in all),
# IPCBOX_TIMEOUT_SCALE.
#
# SPDX-License-Identifier: 0BSD
. "${0%/*}/lib.sh"
set -eu
: "${OUT:=obj}" "${IPCBOX_TIMEOUT_SCALE:=1}"
host=$(dpkg --print-architecture)
name=$1 limit=180
case $1 in
native | sandbox) set_arch "$host" ;;
gvisor) set_arch "$host" ;;
gvisor-tests) set_arch "$host"; limit=2400 ;;
*) set_arch "${1%-user}"; name=$arch-user ;;
esac
: "${IPCBOX_TIMEOUT:=$((limit * IPCBOX_TIMEOUT_SCALE))}"
mkdir -p "$OUT/qemu"
log=$OUT/qemu/$name.log

# find_runsc sets $runsc to the program of gVisor, and unpacks it first if it is packed.
find_runsc() {
	[ -n "${RUNSC-}" ] || skipped "$name" no-runsc 'gVisor is not here: make gvisor RUNSC=PATH'
	[ -r "$RUNSC" ] || die "can't read '$RUNSC'"
	[ "$(id -u)" = 0 ] || skipped "$name" needs-root 'runsc needs root'
	runsc=$(realpath "$RUNSC")
	case $RUNSC in *.xz) ;; *) return ;; esac
	runsc=$(realpath "$OUT")/qemu/runsc-$(cksum <"$RUNSC" | cut -d' ' -f1)
	[ ! -x "$runsc" ] || return 0
	xz -dc "$RUNSC" >"$runsc.$$" && chmod 755 "$runsc.$$" && mv "$runsc.$$" "$runsc"
}

# tests_there prints the tests that gVisor runs: those of what applets do on a kernel. The tests of
# kills by the hundred, of failing calls, and of boards that other machines wrote show no more there.
# linear.t compares processor times that are shorter than a tick of 10 ms there.
tests_there() {
	(cd "$here/../tests" && ls pipecap/*.t fifo/*.t board/*.t pcopy/*.t) |
		grep -vE '/(faults|golden|kill|latch|linear|pipesz|power)\.t$' | tr '\n' ' '
}

set -- "$OUT/$arch/ipcbox" pipetest
case $name in
native) ;;
sandbox)
	"$here/sandbox.sh" "$OUT/qemu" || skipped "$name" no-seccomp 'no filter of system calls can be set here'
	set -- "$here/sandbox.sh" "$OUT/qemu" "$@" ;;
gvisor*)
	find_runsc
	[ "$name" = gvisor ] || set -- env "IPCBOX=$(realpath "$1")" FILE_LIMIT=300 sh -c \
		"cd '$here/../tests' && exec '$(realpath "$here")/run-tests' $(tests_there)"
	set -- "$runsc" --platform=systrap --network=none --ignore-cgroups 'do' "$@" ;;
*)
	emulator=qemu-$user-static
	command -v "$emulator" >/dev/null || die "no $emulator: make deps qemu-user"
	set -- "$emulator" "$@" ;;
esac
start=$(date +%s)
rc=0
timeout -k 5 "$IPCBOX_TIMEOUT" "$@" </dev/null >"$log" 2>&1 || rc=$?
# The data sheet takes a few seconds, and has no verdict.
case $name in
*-tests) ;;
*) [ $rc -gt 4 ] || timeout -k 5 60 "$@" -b=sheet -D 3s </dev/null >>"$log" 2>&1 || : ;;
esac
judge "$name" $(($(date +%s) - start)) "$log"
