#!/bin/bash
# module-setup.sh - put ipcbox into the initramfs of dracut: /usr/lib/dracut/modules.d/90ipcbox
#
# dracut --add ipcbox, or add_dracutmodules+=" ipcbox " in dracut.conf.d: it comes only if it is asked
# for, which is what 255 means.
#
# SPDX-License-Identifier: 0BSD
check() {
	require_binaries ipcbox || return 1
	return 255
}

depends() {
	echo base
}

install() {
	local name
	inst_binary ipcbox /usr/bin/ipcbox
	for name in $(ipcbox --list); do ln_r /usr/bin/ipcbox "/usr/bin/$name"; done
	# The hook pre-mount does not run where the command line has no root=.
	# shellcheck disable=SC2154 # dracut sets moddir
	inst_hook cmdline 00 "$moddir/run-ipcbox.sh"
}
