#!/bin/sh
# deps.sh ARCH GOAL... - print the packages that make GOAL... needs for boards of ARCH
#
# SPDX-License-Identifier: 0BSD
. "${0%/*}/lib.sh"
set -eu
arches=$1
shift
host=$(dpkg --print-architecture)

case " $* " in
*' qemu-all '*) goals='qemu qemu-user gvisor sandbox' arches=$(names arch) ;;
*) goals=$* ;;
esac

tools_for() {
	set_arch "$1"
	case $compiler in clang-*) echo dpkg-dev "$compiler" "lld${compiler#clang}" "llvm${compiler#clang}"; return ;; esac
	triplet=$(printf '%s' "${compiler%-}" | tr _ -)
	[ "$arch" = "$host" ] && echo gcc || echo "gcc-$triplet"
	case $musl in +*) echo dpkg-dev ;; esac
}
emulator_for() {
	case $(lines board "$1" | cut -d' ' -f5) in
	aarch64 | arm) echo qemu-system-arm ;;
	x86_64 | i386) echo qemu-system-x86 ;;
	ppc*) echo qemu-system-ppc ;;
	mips*) echo qemu-system-mips ;;
	?*) echo qemu-system-misc opensbi ;;
	esac
}

for goal in $goals; do
	case $goal in cross | cpio | initramfs | tests-image | twice | qemu | qemu-tests | qemu-user | gvisor | gvisor-tests | sandbox) ;; *) continue ;; esac
	echo cpio util-linux
	case $goal in
	gvisor*) echo xz-utils perl procps python3 ;;
	sandbox) echo gcc libc6-dev ;;
	esac
	for a in $arches; do
		tools_for "$a"
		case $goal in
		qemu | qemu-tests) emulator_for "$a" ;;
		qemu-user) echo qemu-user-static ;;
		esac
	done
done
