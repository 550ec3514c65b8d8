#!/bin/sh
# These tests build a copy of the source, with make as users call it.
LIMIT=300
. "${0%/*}/../tap.sh"
. "$room/tree.sh"
mv tree 'a tree' && cd 'a tree' || exit

ok 'make builds the box' build
like 'make builds a static binary' '*statically linked*' "$(file ipcbox)"
run ./ipcbox --list
is 'the binary that make built runs' 0 "$rc"
# A function that no other file uses has to be static, except the main functions. The source has the
# last word: what the default build leaves out uses functions, too.
find obj -name '*.o' -exec nm -A -g {} + | awk '$(NF - 1) ~ /^[Uw]$/ { used[$NF]; next } { defined[$NF] = $1 }
	END { for (f in defined) if (!(f in used) && f !~ /^(main|.*_main)$/) print f, defined[f] }' |
	while read -r f where; do
		[ "$(grep -lrw --include='*.c' -- "$f" applets libbb | wc -l)" -gt 1 ] || echo "$f $where"
	done >../log
is 'each function that one file alone uses is static' '' "$(cat ../log)"
is 'a second make has nothing to do' "make: Nothing to be done for 'all'." "$(make 2>&1)"
ok 'make -q says with 0 that nothing is to be done' make -q
touch applets/fifo/queue.c
make -q
is 'make -q says with 1 that something is to be done' 1 $?
is 'make -f from another folder does what make -C does' '  CC      applets/fifo/queue.c' \
	"$(cd / && make -f "$T/a tree/Makefile" 2>&1 | head -n 1)"
ok 'O= builds outside of the tree, also after a build in the tree' build O=../o
ok 'builds in two directories give the same bytes' cmp ipcbox ../o/ipcbox
like 'O= with a space is refused' '*O= may not contain a space*' "$(make -s O='../o p' 2>&1)"
if missing kconfig-conf; then
	skip 'gen.sh and kconfig give the same build' 'no kconfig-frontends'
else
	ok 'make KCONF= builds without kconfig' build KCONF= O=../k
	ok 'gen.sh and kconfig give the same .config' cmp .config ../k/.config
	ok 'builds with gen.sh and with kconfig give the same bytes' cmp ipcbox ../k/ipcbox
	for kind in allnoconfig allyesconfig minimal_defconfig debug_defconfig; do
		make -s O=../k $kind >/dev/null 2>&1 && make -s KCONF= O=../o $kind >/dev/null 2>&1
		ok "$kind is the same .config with gen.sh and with kconfig" cmp ../k/.config ../o/.config
	done
	for odd in CONFIG_PCOPY=m 'CONFIG_PREFIX=/a' 'CONFIG_PREFIX="/a b"' 'CONFIG_NOSUCH=y' '# CONFIG_PCOPY is not set'; do
		for o in ../k ../o; do { cat .config; echo "$odd"; } >$o/.config; done
		make -s O=../k oldconfig >/dev/null 2>&1 && make -s KCONF= O=../o oldconfig
		ok "oldconfig makes the same of $odd with gen.sh and with kconfig" cmp ../k/.config ../o/.config
	done
fi
find ../o ../k . -name .config ! -perm -u+w >../log
is 'a read-only source leads to no read-only .config' '' "$(cat ../log)"

ok 'make allnoconfig succeeds' make -s O=../no allnoconfig
ok 'allnoconfig builds without a warning' build O=../no CFLAGS=-Werror
run ../no/ipcbox --list
is 'the box of allnoconfig has no applet' '0 ' "$rc $out"
for i in 1 2 3; do
	make -s O=../rand randconfig >/dev/null 2>&1
	# CONFIG_SANITIZE is off here: not every compiler has the sanitizers.
	sed -i 's/^CONFIG_SANITIZE=y/# CONFIG_SANITIZE is not set/' ../rand/.config
	ok "randconfig $i builds without a warning" build O=../rand CFLAGS=-Werror
	is "the box of randconfig $i has the applets that .config names" "$(grep -cE '^CONFIG_(PIPECAP|PIPETEST|FIFO[RW]|MMAP[RW]|PCOPY)=y' ../rand/.config)" \
		"$(../rand/ipcbox --list | grep -cv pipesz)"
done
ok 'make minimal_defconfig succeeds' make -s O=../min minimal_defconfig
ok 'make builds the box of minimal_defconfig' build O=../min
ok 'pipetest can be switched off in .config' sh -c \
	'make -s O=../six defconfig && sed -i "s/^CONFIG_PIPETEST=y/# CONFIG_PIPETEST is not set/" ../six/.config'
ok 'the six applets without pipetest build' build O=../six

# A size has a target. What misses it is marked so, and has to stay under a ceiling instead, so that
# no commit makes it larger unseen.
budget() {
	size=$(wc -c <"$2")
	if [ "$size" -le "$3" ]; then result ok "$1 has $size bytes, under its target of $3"; else
		result 'not ok' "$1 has $size bytes, over its target of $3 # TODO"
	fi
	ok "$1 has $size bytes, under its ceiling of $4" test "$size" -le "$4"
}
budget 'the box with six applets' ../six/ipcbox 172032 196296
budget 'the box with pipetest' ipcbox 360448 397496
budget 'the box of minimal_defconfig' ../min/ipcbox 81920 87896

# The flags of dpkg-buildflags harden a binary; a shared build has to keep what they ask for.
flags='-g -O2 -fstack-protector-strong -Wformat -Werror=format-security'
ok 'make builds with the flags of dpkg' build O=../dpkg CFLAGS="$flags" CPPFLAGS='-Wdate-time -D_FORTIFY_SOURCE=2' \
	LDFLAGS='-Wl,-z,relro'
run ../dpkg/ipcbox pipecap
is 'the static binary with the flags of dpkg runs' '0 size=65536' "$rc $out"
like 'the static binary with -z relro keeps GNU_RELRO' '*GNU_RELRO*' "$(readelf -Wl ../dpkg/ipcbox)"
make -s O=../shared defconfig && sed -i 's/^CONFIG_STATIC=y/# CONFIG_STATIC is not set/' ../shared/.config
for cc in gcc musl-gcc; do
	if missing $cc; then skip "$cc: a shared build keeps its hardening" "no $cc"; continue; fi
	ok "$cc: a hardened shared build succeeds" build O=../shared CC=$cc CFLAGS="$flags -fPIE" \
		CPPFLAGS='-Wdate-time -D_FORTIFY_SOURCE=2' LDFLAGS='-pie -Wl,-z,relro -Wl,-z,now'
	segments=$(readelf -Wl ../shared/ipcbox)
	like "$cc: a hardened shared build keeps GNU_RELRO" '*GNU_RELRO*' "$segments"
	like "$cc: a hardened shared build is position independent" '*DYN (*' "$segments"
	like "$cc: a hardened shared build binds at its start" '*NOW*' "$(readelf -Wd ../shared/ipcbox)"
	like "$cc: a shared build has a build-id" '*Build ID: *' "$(readelf -Wn ../shared/ipcbox)"
	like "$cc: a hardened shared build is stripped" '*, stripped' "$(file ../shared/ipcbox)"
	run ../shared/ipcbox pipecap
	is "$cc: a hardened shared build runs" '0 size=65536' "$rc $out"
done
# This compiler takes -static for static-pie, as the one of Alpine does.
printf '#!/bin/sh\npie=-static-pie\nfor a; do [ "$a" != -no-pie ] || pie=; done\nexec gcc "$@" $pie\n' >../pie-gcc
chmod 755 ../pie-gcc
ok 'a compiler whose default is static-pie builds' build O=../pie CC="$T/pie-gcc"
like 'a static build is not static-pie, whatever the default of the compiler' '*ELF*executable*statically linked*' \
	"$(file ../pie/ipcbox | grep -v pie.executable)"
run ../pie/ipcbox pipecap
is 'a static build with a compiler whose default is static-pie runs' '0 size=65536' "$rc $out"

ok 'gcc builds without a warning' build O=../gcc CFLAGS=-Werror
if missing clang; then skip 'clang builds against glibc without a warning' 'no clang'; else
	ok 'clang builds against glibc without a warning' build O=../clang CC=clang CFLAGS=-Werror
fi
make -s O=../san debug_defconfig >/dev/null 2>&1
if echo 'int main(void){return 0;}' | gcc -fsanitize=address,undefined -x c -o "$T/a.out" - 2>/dev/null; then
	ok 'debug_defconfig builds with gcc, glibc, ASan and UBSan' build O=../san CC=gcc
	# exit(2) frees the memory of an applet: what it has not freed at its end is no leak.
	ASAN_OPTIONS=detect_leaks=0 run ../san/ipcbox pipecap
	is 'the box with sanitizers runs without a report' '0 ' "$rc $err"
	make -s O=../san2 debug_defconfig >/dev/null 2>&1
	ok 'make builds one object of debug_defconfig' build O=../san2 CC=gcc ../san2/obj/libbb/time.o
	ok 'an object with debugging data is the same in two directories' cmp ../san/obj/libbb/time.o ../san2/obj/libbb/time.o
else
	skip 'make builds the box of debug_defconfig' 'no sanitizers'
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
is 'make builds a new file in applets/ as a new applet' zz "$(./ipcbox zz)"
like 'the box prints the help of a new applet' 'usage: zz*Say "zz".' "$(./ipcbox --help zz)"
rm applets/zz.c
build
is 'make leaves out an applet whose file is removed' '' "$(./ipcbox --list | grep zz)"
mkdir applets/zy
printf '/*\n * zy - a folder\n *\n\nconfig ZY\n\tbool "zy"\n\tdefault y\n\thelp\n\t  usage: zy\n*/\n' >applets/zy/zy.c
printf '#include "libbb.h"\nint zy_part(void);\nint zy_main(char **argv) { (void)argv; return zy_part(); }\n' >>applets/zy/zy.c
printf 'int zy_part(void);\nint zy_part(void) { return 7; }\n' >applets/zy/part.c
build
run ./ipcbox zy
is 'make builds a folder with a file of its name as an applet, with all its parts' 7 "$rc"
rm -r applets/zy
build
is 'make leaves out an applet whose folder is removed' '' "$(./ipcbox --list | grep zy)"

ok 'make baseline succeeds' make -s baseline
run make -s bloatcheck
like 'make bloatcheck prints the difference to the baseline' '*total*+0' "$out"
run make -s sizes
like 'make sizes names the applets, libc and the texts' '*fifow*libc*mmapr*texts*' "$(printf '%s\n' "$out" | sort -k2)"
is 'make sizes explains all but a few bytes of the binary' 1 "$(printf '%s\n' "$out" |
	awk -v all="$(wc -c <ipcbox)" '/ in all$/ { print ($1 > 0.97 * all && $1 <= all) }')"
is 'the bytes in make sizes add up to text and data of size(1)' "$(size obj/ipcbox | awk 'NR == 2 { print $1 + $2 }')" \
	"$(printf '%s\n' "$out" | awk '/ in all$/ { all = $1; next } { sum += $1 } END { print sum == all ? all : sum " of " all }')"
cp .config ../before
ok 'make savedefconfig succeeds' make -s savedefconfig
is 'make savedefconfig of the defaults writes an empty configs/defconfig' '' "$(cat configs/defconfig)"
ok 'make oldconfig succeeds' make -s oldconfig
ok 'make oldconfig keeps .config' cmp .config ../before
run make help
like 'make help lists the targets' '*make menuconfig*CROSS_COMPILE=*' "$out"
for group in Build Use Test Configure Install Boards Release; do
	like "make help has the group $group" "*$group*" "$out"
done
if missing setsid; then skip 'menuconfig without a terminal is an error that says so' 'no setsid'; else
	run setsid -w make -s menuconfig </dev/null
	like 'menuconfig without a terminal is an error that says so' '2 *menuconfig needs a terminal*' "$rc $err"
fi
make -s distclean
is 'make distclean leaves the tree as shipped' '' "$(ls -A | grep -E '^(obj|ipcbox|\.config)$')"
