#!/bin/sh
# The build's own rules: on a copy of the source, with make as users call it.
LIMIT=300
. "${0%/*}/../tap.sh"
unset MAKEFLAGS MAKELEVEL MFLAGS IPCBOX

mkdir 'a tree' && (cd "$top" && tar cf - --exclude=.git --exclude=./obj --exclude=./ipcbox --exclude=./.config \
	--exclude=./_install .) | tar xf - -C 'a tree' || exit
cd 'a tree' || exit
chmod a-w configs/* # as in a tree that nobody shall write to: nothing may be copied with that mode
build() { make -s -j2 "$@" >"$T/log" 2>&1; }
missing() { ! command -v "$1" >/dev/null 2>&1; }

ok 'make builds' build
like 'a static binary' '*statically linked*' "$(file ipcbox)"
run ./ipcbox --list
is 'that runs' 0 "$rc"
# What no other object needs is static, but for what libc calls or replaces.
nm -A -g obj/*/*.o obj/*/*/*.o | awk '$(NF - 1) ~ /^[Uw]$/ { used[$NF]; next } { defined[$NF] = $1 }
	END { for (f in defined) if (!(f in used) && f !~ /^(main|.*_main)$/) print f, defined[f] }' >../log
is 'all that is local is static' '' "$(cat ../log)"
is 'a second make has nothing to do' '' "$(make 2>&1)"
ok 'O= builds outside, after make in the tree too' build O=../o
ok 'two directories give the same bytes' cmp ipcbox ../o/ipcbox
like 'O= with a space is refused' '*O= may not contain a space*' "$(make -s O='../o p' 2>&1)"
if missing kconfig-conf; then
	skip 'without kconfig the same' 'no kconfig-frontends'
else
	ok 'KCONF= does without kconfig' build KCONF= O=../k
	ok 'and gives the same .config' cmp .config ../k/.config
	ok 'and the same bytes' cmp ipcbox ../k/ipcbox
	for kind in allnoconfig allyesconfig minimal_defconfig debug_defconfig; do
		make -s O=../k $kind >/dev/null 2>&1 && make -s KCONF= O=../o $kind >/dev/null 2>&1
		ok "$kind is the same .config either way" cmp ../k/.config ../o/.config
	done
	for odd in CONFIG_PCOPY=m 'CONFIG_PREFIX=/a' 'CONFIG_PREFIX="/a b"' 'CONFIG_NOSUCH=y' '# CONFIG_PCOPY is not set'; do
		for o in ../k ../o; do { cat .config; echo "$odd"; } >$o/.config; done
		make -s O=../k oldconfig >/dev/null 2>&1 && make -s KCONF= O=../o oldconfig
		ok "$odd: so too" cmp ../k/.config ../o/.config
	done
fi
find ../o ../k . -name .config ! -perm -u+w >../log
is 'a read-only source makes no read-only file' '' "$(cat ../log)"

ok 'allnoconfig' make -s O=../no allnoconfig
ok 'builds' build O=../no CFLAGS=-Werror
run ../no/ipcbox --list
is 'and has no applet' '0 ' "$rc $out"
for i in 1 2 3; do
	make -s O=../rand randconfig >/dev/null 2>&1
	# Whether a compiler has the sanitizers is not ours to test here.
	sed -i 's/^CONFIG_SANITIZE=y/# CONFIG_SANITIZE is not set/' ../rand/.config
	ok "randconfig $i builds" build O=../rand CFLAGS=-Werror
	is 'with the applets that .config names' "$(grep -cE '^CONFIG_(PIPE|FIFO|MMAP|PCOPY)[A-Z]*=y' ../rand/.config)" \
		"$(../rand/ipcbox --list | grep -cv pipesz)"
done
ok 'minimal_defconfig' make -s O=../min minimal_defconfig
ok 'builds' build O=../min
ok 'the six applets without pipetest' sh -c \
	'make -s O=../six defconfig && sed -i "s/^CONFIG_PIPETEST=y/# CONFIG_PIPETEST is not set/" ../six/.config'
ok 'build' build O=../six

# The ceilings for the size: no commit may pass them.
budget() {
	size=$(wc -c <"$2")
	ok "$1: $size bytes are under the ceiling of $3" test "$size" -le "$3"
}
budget 'six applets' ../six/ipcbox 172032
budget 'with pipetest' ipcbox 360448
budget 'minimal' ../min/ipcbox 81920

ok 'gcc, all warnings are errors' build O=../gcc CFLAGS=-Werror
if missing clang; then skip 'clang' 'no clang'; else
	ok 'clang against glibc' build O=../clang CC=clang CFLAGS=-Werror
fi
make -s O=../san debug_defconfig >/dev/null 2>&1
if echo 'int main(void){return 0;}' | gcc -fsanitize=address,undefined -x c -o "$T/a.out" - 2>/dev/null; then
	ok 'debug_defconfig: gcc, glibc, ASan and UBSan' build O=../san CC=gcc
	# Memory belongs to exit(2): a leak at the end is none.
	ASAN_OPTIONS=detect_leaks=0 run ../san/ipcbox pipecap
	is 'and it runs clean' '0 ' "$rc $err"
	make -s O=../san2 debug_defconfig >/dev/null 2>&1
	ok 'debugging data name no directory' build O=../san2 CC=gcc ../san2/obj/libbb/time.o
	ok 'so that it is reproducible too' cmp ../san/obj/libbb/time.o ../san2/obj/libbb/time.o
else
	skip 'debug_defconfig' 'no sanitizers'
fi

cat >applets/zz.c <<'END'
/*
 * zz - says so
 *
 * SPDX-License-Identifier: 0BSD

config ZZ
	bool "zz"
	default y
	help
	  usage: zz

	  Say "zz".
*/
#include "libbb.h"

int zz_main(char **argv)
{
	(void)argv;
	xprintf("zz\n");
	return EXIT_SUCCESS;
}
END
build
is 'a new file in applets/ is a new applet' zz "$(./ipcbox zz)"
like 'with its help' 'usage: zz*Say "zz".' "$(./ipcbox --help zz)"
rm applets/zz.c
build
is 'and goes with its file' '' "$(./ipcbox --list | grep zz)"
mkdir applets/zy
printf '/*\n * zy - a folder\n *\n\nconfig ZY\n\tbool "zy"\n\tdefault y\n\thelp\n\t  usage: zy\n*/\n' >applets/zy/zy.c
printf '#include "libbb.h"\nint zy_part(void);\nint zy_main(char **argv) { (void)argv; return zy_part(); }\n' >>applets/zy/zy.c
printf 'int zy_part(void);\nint zy_part(void) { return 7; }\n' >applets/zy/part.c
build
run ./ipcbox zy
is 'a folder with its parts is an applet too' 7 "$rc"
rm -r applets/zy
build
is 'and goes with its folder' '' "$(./ipcbox --list | grep zy)"

bin='../in st/usr/bin'
for kind in symlinks hardlinks scripts none; do
	# What an install that was killed has left.
	mkdir -p "$bin" && touch "$bin/.ipcbox.new" && ln -s ipcbox "$bin/.pipecap.new" || exit
	ok "install: $kind" make -s CONFIG_INSTALL=$kind CONFIG_PREFIX='../in st' install
	ok 'the box is whole' cmp ipcbox "$bin/ipcbox"
	[ $kind != none ] || break
	is 'every applet has its name' "$(./ipcbox --list | sort)" "$(ls -A "$bin" | grep -v ipcbox)"
	is 'that works' "$(./ipcbox pipecap)" "$("$bin/pipecap")"
done
rm -f "$bin/.pipecap.new" "$bin/pcopy"
ok 'a second install replaces the first' make -s CONFIG_PREFIX='../in st' install
is 'and leaves no temporary name' '' "$(find "$bin" -name '.*.new')"
run make -s CONFIG_INSTALL=nosuch CONFIG_PREFIX='../in st' install
like 'an unknown kind of link is named' "2 CONFIG_INSTALL is 'nosuch': *" "$rc $err"
rm "$bin/pcopy" && mkdir "$bin/pcopy"
run make -s CONFIG_PREFIX='../in st' install
like 'a directory in the way is named' '2 mv: *pcopy*' "$rc $err"
is 'and stays as it is' '' "$(ls -A "$bin/pcopy")"
rmdir "$bin/pcopy"
ok 'uninstall' make -s CONFIG_PREFIX='../in st' uninstall
is 'leaves nothing' '' "$(ls -A "$bin")"

ok 'baseline' make -s baseline
run make -s bloatcheck
like 'bloatcheck prints the difference' '*total*+0' "$out"
cp .config ../before
ok 'savedefconfig' make -s savedefconfig
is 'of the defaults is empty' '' "$(cat configs/defconfig)"
ok 'oldconfig' make -s oldconfig
ok 'keeps .config' cmp .config ../before
run make help
like 'make help lists the targets' '*make menuconfig*CROSS_COMPILE=*' "$out"
make -s distclean
is 'distclean leaves the tree as shipped' '' "$(ls -A | grep -E '^(obj|ipcbox|\.config)$')"
