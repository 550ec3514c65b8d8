#!/bin/sh
# cross.sh ARCH - prints CC= AR= STRIP= for make: Debian's compiler, and musl of a cache
. "${0%/*}/lib.sh"
set -eu
set_arch "$1"
command -v "${compiler}gcc" >/dev/null || die "no ${compiler}gcc: make deps cross ARCH=$arch"

# Debian's musl-dev, not installed: its paths lead to where it is unpacked.
unpacked() {
	root=$("$here/fetch.sh" "$musl" "$arch" musl-dev)
	specs=$(find "$root/usr/lib" -name musl-gcc.specs)
	[ -e "$specs.here" ] || { sed "s|/usr/|$root/usr/|g" "$specs" >"$specs.new" &&
		mv "$specs.new" "$specs.here"; }
	specs=$specs.here
}

# For what Debian no longer has, and still has a compiler for. The wrapper has the specs;
# configure would make it only where the compiler finds a glibc.
built() {
	src=$("$here/fetch.sh" "${musl#+}" amd64 source musl)
	root=$src-$arch
	specs=$root/lib/musl-gcc.specs
	[ ! -e "$root/complete" ] || return 0
	build=$root.build
	rm -rf "$build" "$root"
	mkdir "$build"
	# shellcheck disable=SC2086 # flags are words
	(cd "$build" && "$src/configure" --target="${compiler%-}" --prefix="$root" --disable-shared \
		--enable-wrapper=gcc CC="${compiler}gcc $flags" CROSS_COMPILE="$compiler" &&
		make -j2 install && : >"$root/complete") >"$root.log" 2>&1 ||
		die "can't build musl for $arch: see $root.log"
	rm -rf "$build"
}

case $musl in +*) built ;; *) unpacked ;; esac
printf '%s\n' "CC='${compiler}gcc -specs $specs${flags:+ $flags}' AR=${compiler}ar STRIP=${compiler}strip NM=${compiler}nm"
