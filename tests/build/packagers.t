#!/bin/sh
# make as the tools of distributions call it, and in the places where they call it. dh is in package.t.
# A box of two applets is enough to see that flags, compilers and folders are right.
LIMIT=300
. "${0%/*}/../tap.sh"
. "$room/tree.sh"
make -s -C tree minimal_defconfig >/dev/null 2>&1

# packs NAME WHAT - does the shell code WHAT build and install a package in a tree of its own?
packs() {
	rm -rf pack pack.d
	cp -R tree pack
	run sh -c "cd pack && dest=../pack.d && $2"
	is "$1: make and make install succeed" 0 "$rc"
	[ "$rc" = 0 ] || say "$err"
	is "$1: the compiler warns of nothing" '' "$(printf '%s\n' "$err" | grep -i warning)"
	is "$1: everything is below usr" usr "$(ls pack.d)"
	is "$1: the links lead to the box" 'fifor fifow ' "$(find pack.d/usr/bin -lname ipcbox | sed 's|.*/||' | sort | tr '\n' ' ')"
}
runs() { is "$1: the installed box runs" 'fifor fifow ' "$(pack.d/usr/bin/ipcbox --list | tr '\n' ' ')"; }

abuild='-Os -fstack-clash-protection -Wformat -Werror=format-security -fno-plt'
packs abuild "export CC=gcc CFLAGS='$abuild' CPPFLAGS='$abuild' LDFLAGS='-Wl,--as-needed,-O1,--sort-common' MAKEFLAGS=-j2
	make && make install DESTDIR=\$dest prefix=/usr"
runs abuild

# Flags of several lines are flags, too. Two files of specs put -fPIE and -pie where the command line does not speak of them.
printf '*cc1_options:\n+ %%{!r:%%{!fpie:%%{!fPIE:%%{!fpic:%%{!fPIC:%%{!fno-pic:-fPIE}}}}}}\n\n' >cc1.specs
printf '*self_spec:\n+ %%{!static:%%{!shared:%%{!r:-pie}}}\n\n*link:\n+ -z now\n' >ld.specs
rpm="-O2 -flto=auto -ffat-lto-objects -fexceptions -g -grecord-gcc-switches -pipe -Wall -Werror=format-security
 -Wp,-U_FORTIFY_SOURCE,-D_FORTIFY_SOURCE=3 -specs=$T/cc1.specs -fstack-protector-strong -fasynchronous-unwind-tables
 -fstack-clash-protection -fno-omit-frame-pointer"
packs rpm "export CFLAGS='$rpm' LDFLAGS='-Wl,-z,relro -Wl,--as-needed -Wl,-z,now -specs=$T/ld.specs -Wl,--build-id=sha1'
	make -O -j2 V=1 VERBOSE=1 CC=gcc && make install DESTDIR=\$dest INSTALL='install -p' prefix=/usr CC=gcc"
runs rpm

packs PKGBUILD "export CFLAGS='-O2 -pipe -fno-plt -fexceptions -Wp,-D_FORTIFY_SOURCE=3 -Wformat -Werror=format-security
 -fstack-clash-protection -fno-omit-frame-pointer -g -flto=auto' LDFLAGS='-Wl,-O1 -Wl,--as-needed -Wl,-z,relro -Wl,-z,now -flto=auto'
	make -j2 && make DESTDIR=\$dest prefix=/usr install"
runs PKGBUILD

# make -e: the environment wins over the Makefile, VERSION too.
packs bitbake "export CC='gcc --sysroot=/' CFLAGS='-O2 -pipe -g -fmacro-prefix-map=/tmp=/usr' AR=gcc-ar STRIP=strip LD=ld \\
	CPP='gcc -E' LDFLAGS='-Wl,-O1 -Wl,--hash-style=gnu -Wl,--as-needed -Wl,-z,relro,-z,now' VERSION=9 prefix=/usr bindir=/usr/bin \\
	datadir=/usr/share mandir=/usr/share/man
	make -e -j2 && make -e install DESTDIR=\$dest"
runs bitbake
is 'bitbake: the box has the version of the environment' 'ipcbox 9' "$(pack.d/usr/bin/ipcbox --version)"

cross=aarch64-linux-gnu-
if ! echo 'int main(void) { return 0; }' | ${cross}gcc -static -x c -o try - 2>/dev/null; then
	skip 'Buildroot: make with CC and CROSS_COMPILE builds for another machine' "no ${cross}gcc, or no libc for it"
else
	packs Buildroot "flags='CC=${cross}gcc CROSS_COMPILE=$cross LDFLAGS='
	make -C . olddefconfig \$flags && make -j2 -C . \$flags CFLAGS='-D_LARGEFILE_SOURCE -Os -g0 -D_FORTIFY_SOURCE=1' &&
	make -C . \$flags CFLAGS='-D_LARGEFILE_SOURCE -Os -g0 -D_FORTIFY_SOURCE=1' install DESTDIR=\$dest prefix=/usr"
	like 'Buildroot: make with CC and CROSS_COMPILE builds for another machine' '*aarch64*, stripped' "$(file pack.d/usr/bin/ipcbox)"
fi

# Nix: prefix is a variable of the environment, the shell has a path of its own, and the words that the
# Makefile uses for itself mean something else to the environment.
mkdir store && cp "$(readlink -f /bin/sh)" store/sh
packs Nix "export prefix=/usr out=x src=x name=x root=x obj=x lib=x kind=x strip=x tool=x flags=x quiet=x say=x parts=x on=x
	unshare=\$(command -v unshare) && \$unshare -rn true 2>/dev/null && net='unshare -rn' || net=
	\$net make -s SHELL=$T/store/sh -j2 && \$net make -s SHELL=$T/store/sh install DESTDIR=\$dest"
runs Nix

# --- places and hours ---
(cd tree && build all man completion) || exit
cp tree/ipcbox first
mkdir 'a place'
cp -R tree 'a place/the tree'
rm -rf 'a place/the tree/obj'
ok 'make -C builds in a path with spaces' build -C 'a place/the tree'
ok 'a path with spaces changes no byte of the box' cmp first 'a place/the tree/ipcbox'
cp -R tree narrow && make -s -C narrow clean
ok 'make builds under umask 077, with -j8' sh -c 'umask 077; make -s -j8 -C narrow'
ok 'a narrow umask changes no byte of the box' cmp first narrow/ipcbox
make -s -C narrow clean
ok 'two goals of one make share what both need' make -s -j8 -C narrow all man completion dist ipcbox.links
make -s -C narrow clean
ok 'make -j8 all install builds before it installs' make -s -j8 -C narrow all install DESTDIR=../both
ok 'what make all install installs is the box' cmp first both/usr/local/bin/ipcbox
(cd both && find . | sort) >once
ok 'make install works a second time' make -s -C narrow install DESTDIR=../both
is 'a second make install adds and removes nothing' "$(cat once)" "$(cd both && find . | sort)"
ok 'DESTDIR may have spaces' make -s -C narrow install DESTDIR='../with spaces'
ok 'make uninstall takes a DESTDIR with spaces' make -s -C narrow uninstall DESTDIR='../with spaces'
is 'make uninstall leaves nothing in a DESTDIR with spaces' '' "$(ls -A 'with spaces')"

make -s -C tree dist
if missing git; then skip 'the archive of a release builds inside of the repository of another project' 'no git'; else
	mkdir other && git -C other init -q && tar xf tree/obj/ipcbox-*.tar.gz -C other
	cd other/ipcbox-* || exit
	ok 'make dist inside of the repository of another project succeeds' make -s dist
	ok 'the archive of a release makes the same archive inside of the repository of another project' \
		cmp obj/ipcbox-*.tar.gz ../../tree/obj/ipcbox-*.tar.gz
	cd ../..
fi

# A source that nobody may write, and a user without privileges who builds outside of it.
if [ "$(id -u)" != 0 ] || missing setpriv; then
	skip 'a user builds outside of a source that is read-only' 'needs root and setpriv'
	exit
fi
chmod 755 "$T" && make -s -C narrow distclean && chmod -R a-w,a+rX narrow && mkdir -m 777 out
ok 'a user builds, tests and installs outside of a source that is read-only' sh -c 'cd narrow &&
	exec setpriv --reuid=65534 --regid=65534 --clear-groups env HOME=/nonexistent TMPDIR=/tmp sh -c "
	make -s O=../out minimal_defconfig && make -s -j2 O=../out && make -s O=../out install DESTDIR=../out/d"'
ok 'a build outside of a read-only source has the same bytes' cmp first out/ipcbox
ok 'a user who may not write the source gets an error without O=' sh -c \
	'cd narrow && ! setpriv --reuid=65534 --regid=65534 --clear-groups make -s'
