#!/bin/sh
# Flags are prerequisites: make builds with the flags of its command line, whatever an earlier make
# has left.
LIMIT=300
. "${0%/*}/../tap.sh"
. "$room/tree.sh"
cd tree || exit

# A box of two applets shows what make compiles again.
make -s minimal_defconfig >/dev/null 2>&1
objects() { find obj -name '*.o' | wc -l; }
# compiled ARG... - print how many files make ARG... compiles
compiled() { make -j2 "$@" 2>&1 | grep -c '^  CC '; }
# steps ARG... - print the kinds of steps that make ARG... takes
steps() { make "$@" 2>&1 | awk '/^  [A-Z]/ { print $1 }' | sort -u | tr '\n' ' '; }

ok 'make builds two applets' build
all=$(objects)
is 'make with the same flags has nothing to do' "make: Nothing to be done for 'all'." "$(make 2>&1)"
for change in CFLAGS=-O1 CPPFLAGS=-DSOMETHING "CFLAGS=-DQUOTED='\"a  b\"'" VERSION=9.8 CC=gcc; do
	is "make with a changed $change compiles each file again" "$all" "$(compiled "$change")"
	is "make with the same $change once more compiles nothing" 0 "$(compiled "$change")"
	[ "$change" != VERSION=9.8 ] || is 'ipcbox --version prints the VERSION= of the build' 'ipcbox 9.8' "$(./ipcbox --version)"
done
build
is 'make with changed LDFLAGS links again, and compiles nothing' 'LINK STRIP ' "$(steps LDFLAGS=-Wl,-O1)"
build
is 'make with a changed AR makes the archive again, and compiles nothing' 'AR LINK STRIP ' "$(steps AR="$(command -v ar)")"
build
is 'make with a changed STRIP only strips again' 'STRIP ' "$(steps STRIP="$(command -v strip)")"
ok 'make STRIP=true builds the box' build STRIP=true
like 'make STRIP=true leaves the symbols in ./ipcbox' '*, not stripped' "$(file ipcbox)"
ok 'make SKIP_STRIP=y builds the box' build SKIP_STRIP=y
like 'make SKIP_STRIP=y leaves the symbols in ./ipcbox' '*, not stripped' "$(file ipcbox)"
run ./ipcbox --list
is 'a binary with symbols runs' '0 fifor
fifow' "$rc $out"
ok 'make after SKIP_STRIP=y builds' build
like 'make after SKIP_STRIP=y strips ./ipcbox' '*, stripped' "$(file ipcbox)"
cp ipcbox ../first
rm ipcbox
ok 'make after rm ipcbox succeeds' build
ok 'make after rm ipcbox makes the same file' cmp ipcbox ../first
echo another >ipcbox
ok 'make replaces a file that is not its own' build
ok 'make puts the binary in the place of a file that is not its own' cmp ipcbox ../first
run make -s STRIP=false
like 'a strip that fails is a failure of make' '2 *' "$rc "
build
ok 'make -rR, which has no default CC and AR, builds the box' build -rR
build
touch -d '+2 days' obj/*.a obj/*/*.o obj/*/*/*.o obj/compile.flags
echo 'int more(void); int more(void) { return 1; }' >libbb/more.c
build
is 'make compiles what was edited after the clock went back' 1 "$(nm obj/libbb.a 2>/dev/null | grep -c ' T more$')"
touch -d '+2 days' obj/*.a obj/*/*.o obj/*/*/*.o obj/compile.flags
ok 'make VERSION= builds after the clock went back' build VERSION=9.7
is 'a changed flag counts after the clock went back' 'ipcbox 9.7' "$(./ipcbox --version)"
rm libbb/more.c
build
is 'make has nothing to do after the clock went back and it has built' "make: Nothing to be done for 'all'." "$(make 2>&1)"
rm ipcbox && mkdir ipcbox
run make -s
like 'a directory in the place of ./ipcbox is a failure of make' '2 *' "$rc "
rmdir ipcbox

sed -i 's/.*CONFIG_FIFOR.*/# CONFIG_FIFOR is not set/' .config
ok 'make after a change of .config builds' build
is 'the box does not have an applet that was switched off' fifow "$(./ipcbox --list)"
cat >libbb/more.c <<'EOF'
/*
 * more.c - a file of libbb
 *
 * SPDX-License-Identifier: 0BSD
 */
int more(void);
int more(void) { return 1; }
EOF
build
ok 'a new file of libbb is in the archive' sh -c 'ar t obj/libbb.a | grep more.o'
rm libbb/more.c
build
ok 'a file that left libbb is not in the archive' sh -c '! ar t obj/libbb.a | grep more.o'

# arch - print the architecture of ./ipcbox in the words of file(1)
arch() { file -b ipcbox | cut -d, -f2; }
here=$(build && arch)
cp ipcbox ../native
for cross in aarch64-linux-gnu- s390x-linux-gnu- arm-linux-gnueabihf-; do
	if ! echo 'int main(void) { return 0; }' | ${cross}gcc -static -x c -o ../try - 2>/dev/null; then
		skip "make CROSS_COMPILE=$cross after make builds" "no ${cross}gcc, or no libc for it"
		continue
	fi
	ok "make CROSS_COMPILE=$cross after make builds" build CROSS_COMPILE=$cross
	like "make CROSS_COMPILE=$cross after make builds for that architecture" ' [!x]*' "$(arch)"
	is "a second make CROSS_COMPILE=$cross compiles nothing" 0 "$(compiled CROSS_COMPILE=$cross)"
	ok "make after CROSS_COMPILE=$cross builds" build
	is "make after CROSS_COMPILE=$cross builds for this machine" "$here" "$(arch)"
	ok "make after CROSS_COMPILE=$cross gives the bytes of the first build" cmp ipcbox ../native
	ok "CC=${cross}gcc alone finds the other tools" build CC=${cross}gcc
	like "CC=${cross}gcc alone builds for that architecture, stripped" ' [!x]*, stripped' "$(arch), $(file ipcbox | sed 's/.*, //')"
done

# The PATH of a machine without musl-gcc has these tools alone.
mkdir ../bin
for tool in sh awk sed grep cat cp mv rm mkdir touch tr od gzip cut sort head find wc cmp uname \
	gcc cc ld as ar strip make dirname basename printf ls ln chmod test expr date stat; do
	! path=$(command -v $tool) || case $path in /*) ln -s "$path" ../bin/ ;; esac
done
ok 'make builds the box without musl-gcc' env PATH="$T/bin" make -s -j2 O=../fallback minimal_defconfig all
run env PATH="$T/bin" make -s O=../fallback2 minimal_defconfig
run env PATH="$T/bin" make -s -j2 O=../fallback2
like 'make without musl-gcc says in one line which compiler it takes, and how to get musl-gcc' \
	'0 no musl-gcc here ("make deps" brings it): cc builds a static binary' "$rc $err"
like 'make without musl-gcc builds a static binary' '*statically linked*' "$(file ../fallback2/ipcbox)"
run env PATH="$T/bin" make -s O=../fallback2
is 'make does not repeat the line about musl-gcc' '0 ' "$rc $err$out"
# This cc cannot link statically, like one of a machine without libc.a.
rm ../bin/cc
printf '#!/bin/sh\nfor a; do [ "$a" != -static ] || { echo no libc.a >&2; exit 1; }; done\nexec gcc "$@"\n' >../bin/cc
chmod 755 ../bin/cc
run env PATH="$T/bin" make -s -j2 O=../fallback2
like 'make says that the binary is shared where cc cannot link statically' '0 *: cc builds a shared binary' "$rc $err"
like 'make builds a shared binary where cc cannot link statically' '*dynamically linked*' "$(file ../fallback2/ipcbox)"
