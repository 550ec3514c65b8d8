#!/bin/sh
# bring-up.sh ARCH KERNEL [COMMAND...] - is IPC right and fast on a new board?
#
# COMMAND boots the board with the two files KERNEL and INITRAMFS of its environment and prints its
# console: a power switch and a serial line, or as here QEMU. Run this in the source of ipcbox.
#
# SPDX-License-Identifier: 0BSD
set -u
arch=${1:?usage: bring-up.sh ARCH KERNEL [COMMAND...]}
export KERNEL=${2:?usage: bring-up.sh ARCH KERNEL [COMMAND...]}
export INITRAMFS=obj/$arch/initramfs.cpio.gz CONSOLE=obj/$arch/console.txt
shift 2
[ $# -gt 0 ] || set -- qemu-system-x86_64 -M q35 -cpu max -m 256 -nodefaults -display none -serial stdio \
	-no-reboot -kernel "$KERNEL" -initrd "$INITRAMFS" -append 'console=ttyS0 quiet ipcbox.run=pipetest,-b;pipetest'
make --no-print-directory initramfs ARCH="$arch" || exit	# one static binary, which is /init
"$@" </dev/null >"$CONSOLE"				# it measures the kernel, proves it, powers off
tr -d '\r' <"$CONSOLE" | sed -n 's/^# \(Data sheet: .*\)/\1/p; s/^# \([a-z]*\.[a-z0-9._]* [0-9].*\)/  \1/p'
make --no-print-directory judge LOG="$CONSOLE"		# totals, failures, and the fixes the kernel lacks
