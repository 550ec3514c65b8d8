#!/bin/sh
# cpio.sh initramfs|cpio|tests BINARY FILE.cpio.gz [NAME...] - an archive for the kernel
#
# initramfs: the box is /init. cpio: the box is /usr/bin/ipcbox, with a link for each NAME; the
# archive is to be appended to another initramfs (the kernel unpacks one after the other). tests:
# the first NAME is an architecture, whose busybox comes from the distribution; the other names are
# files, which go to /tests. The same input gives the same bytes on every machine: order, owner, times
# and modes are fixed. The archive needs no device nodes: the kernel's own root has /dev/console, and
# init mounts devtmpfs.
#
# SPDX-License-Identifier: 0BSD
. "${0%/*}/lib.sh"
set -eu
kind=$1 binary=$2 out=$3
shift 3
umask 022
work=$(mktemp -d) root=$work/root
mkdir "$root"
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM

case $kind in
initramfs) cp "$binary" "$root/init" ;;
cpio)
	mkdir -p "$root/usr/bin"
	cp "$binary" "$root/usr/bin/ipcbox"
	for name; do ln -s ipcbox "$root/usr/bin/$name"; done ;;
tests)
	set_arch "$1"
	shift
	busybox=$("$here/fetch.sh" "${musl#+}" "$arch" busybox-static)
	mkdir -p "$root/usr/bin" "$root/bin" "$root/tests"
	cp "$binary" "$root/usr/bin/ipcbox"
	cp "$busybox/bin/busybox" "$root/bin"
	cp "$here/tests-init" "$root/init"
	cp "$here/run-tests" "$root"
	cp --parents "$@" "$root" ;;
*) die "no archive '$kind'" ;;
esac
find "$root" ! -type l -exec chmod 755 {} +
find "$root" -exec touch -h -d "@${SOURCE_DATE_EPOCH:-0}" {} +
(cd "$root" && find . -mindepth 1 | sed 's|^\./||' | sort |
	cpio -o -H newc -R 0:0 --ignore-devno --renumber-inodes) >"$work/cpio" 2>"$work/err" ||
	{ cat "$work/err" >&2; exit 1; }
gzip -n9 <"$work/cpio" >"$out.new"
mv "$out.new" "$out"
