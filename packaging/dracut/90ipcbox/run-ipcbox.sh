#!/bin/sh
# run-ipcbox.sh - run what the kernel's command line asks ipcbox for, and power off
#
# As where the box is /init, ipcbox.run=pipetest,-q;pipecap,-I runs two applets; without that word
# the boot goes on.
#
# SPDX-License-Identifier: 0BSD
command -v getarg >/dev/null || . /lib/dracut-lib.sh

run_ipcbox() {
	set -f
	rc=0
	IFS=';'
	for command in $1; do
		IFS=,
		# shellcheck disable=SC2086 # commas part the words
		/usr/bin/ipcbox $command || rc=$?
	done
	echo "# ipcbox end rc=$rc"
}

if run=$(getarg ipcbox.run=) && [ -n "$run" ]; then
	echo 1 >/proc/sys/kernel/printk
	(run_ipcbox "$run") >/dev/console 2>&1
	# The module base alone has no poweroff: the kernel powers off by itself (sysrq of proc(5)).
	poweroff -f 2>/dev/null || echo o >/proc/sysrq-trigger
	sleep 60
fi
