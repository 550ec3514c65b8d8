#!/bin/sh
# cpio.sh initramfs|cpio|tests BINARY FILE.cpio.gz [NAME...] - an archive for the kernel
#
# initramfs: the box as /init. cpio: /usr/bin/ipcbox with a link for each NAME, to be
# appended to another initramfs (the kernel unpacks one after the other). tests: the first
# NAME is a static busybox, the others are what belongs into /tests. The same input gives the same bytes, whoever makes it: order, owner, times and modes are fixed. No device
# nodes: the kernel's own root has /dev/console, and init mounts devtmpfs.
set -eu
kind=$1 binary=$2 out=$3
shift 3
umask 022
root=$(mktemp -d)
trap 'rm -rf "$root"' EXIT
trap 'exit 1' INT TERM

case $kind in
initramfs) cp "$binary" "$root/init" ;;
cpio)
	mkdir -p "$root/usr/bin"
	cp "$binary" "$root/usr/bin/ipcbox"
	for name; do ln -s ipcbox "$root/usr/bin/$name"; done ;;
tests)
	mkdir -p "$root/usr/bin" "$root/bin" "$root/tests"
	cp "$binary" "$root/usr/bin/ipcbox"
	cp "$1" "$root/bin/busybox"
	cp "${0%/*}/tests-init" "$root/init"
	shift
	cp "$@" "$root/tests" ;;
*) echo "cpio.sh: no archive '$kind'" >&2; exit 2 ;;
esac
find "$root" ! -type l -exec chmod 755 {} +
find "$root" -exec touch -h -d "@${SOURCE_DATE_EPOCH:-0}" {} +
(cd "$root" && find . -mindepth 1 -printf '%P\n' | LC_ALL=C sort |
	cpio -o -H newc -R 0:0 --reproducible --quiet) >"$root.cpio"
gzip -n9 <"$root.cpio" >"$out.new"
rm -f "$root.cpio"
mv "$out.new" "$out"
