#!/bin/sh
# cross.sh ARCH - print CC= AR= STRIP= NM= for make: Debian's compiler, with musl from the cache
#
# SPDX-License-Identifier: 0BSD
. "${0%/*}/lib.sh"
set -eu
set_arch "$1"
case $compiler in
clang-*) tool=$compiler ;;
*) tool=${compiler}gcc ;;
esac
command -v "$tool" >/dev/null || die "no $tool: make deps cross ARCH=$arch"

# unpacked fetches Debian's musl-dev, does not install it, and puts the directory of the cache into
# the paths of its specs
unpacked() {
	root=$("$here/fetch.sh" "$musl" "$arch" musl-dev)
	specs=$(find "$root/usr/lib" -name musl-gcc.specs)
	[ -e "$specs.here" ] || { sed "s|/usr/|$root/usr/|g" "$specs" >"$specs.new" &&
		mv "$specs.new" "$specs.here"; }
	specs=$specs.here
}

# built PREFIX CONFIGURE-OPTION... builds musl from its source and installs it in $root/PREFIX
built() {
	src=$("$here/fetch.sh" "${musl#+}" amd64 source musl)
	root=$src-$arch
	[ ! -e "$root/complete" ] || return 0
	build=$root.build
	rm -rf "$build" "$root"
	mkdir "$build"
	prefix=$root$1
	shift
	(cd "$build" && "$src/configure" --prefix="$prefix" --disable-shared "$@" &&
		make -j2 install && : >"$root/complete") >"$root.log" 2>&1 ||
		die "can't build musl for $arch: see $root.log"
	rm -rf "$build"
}

# built_by_gcc builds musl where Debian has a compiler for the architecture, but no musl-dev. musl's
# wrapper brings the specs; configure without --enable-wrapper makes a wrapper only where gcc finds a
# glibc.
built_by_gcc() {
	built "" --target="${compiler%-}" --enable-wrapper=gcc CC="${compiler}gcc $flags" CROSS_COMPILE="$compiler"
	specs=$root/lib/musl-gcc.specs
}

# clang builds musl with clang, which finds musl below a root directory, and libgcc in the directory
# of a gcc
clang() {
	version=${compiler#clang}
	read -r _ triplet debian suite package <<-END
	$(lines clang "$arch")
	END
	built /usr --target="$triplet" CC="$compiler --target=$triplet $flags" LIBCC=' ' \
		AR="llvm-ar$version" RANLIB="llvm-ranlib$version"
	gcc=$("$here/fetch.sh" "$suite" "$debian" "$package" './usr/lib/gcc/*/*/libgcc*.a' './usr/lib/gcc/*/*/crt*.o')
	gcc=$(dirname "$(find "$gcc" -name libgcc.a)")
	printf '%s\n' "CC='$compiler --target=$triplet --sysroot=$root --gcc-install-dir=$gcc -fuse-ld=lld$version \
-Wno-unused-command-line-argument $flags' AR=llvm-ar$version STRIP=llvm-strip$version NM=llvm-nm$version"
	exit
}

case $compiler in clang-*) clang ;; esac
case $musl in +*) built_by_gcc ;; *) unpacked ;; esac
printf '%s\n' "CC='${compiler}gcc -specs $specs${flags:+ $flags}' AR=${compiler}ar STRIP=${compiler}strip NM=${compiler}nm"
