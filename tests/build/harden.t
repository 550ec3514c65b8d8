#!/bin/sh
# What protects the binary: in each build, with CONFIG_HARDEN, and where LDFLAGS asks for static-pie.
LIMIT=300
. "${0%/*}/../tap.sh"
. "$room/tree.sh"
cd tree || exit
make -s minimal_defconfig >/dev/null 2>&1

# has NAME - is there a "yes" for NAME in the table of make check-hardening?
has() { printf '%s\n' "$table" | grep -q "^  yes  $1 "; }
hasnt() { printf '%s\n' "$table" | grep -q "^  no   $1 "; }
# known FLAG - does musl-gcc, or what make takes in its place, know FLAG?
cc=$(command -v musl-gcc || echo cc)
known() { $cc -Werror "$1" -S -o /dev/null -x c /dev/null 2>/dev/null; }

# The function "left" fills the stack, and "found" looks at what is there in variables of its own.
cat >applets/stack.c <<'END'
/*
 * stack - print what its variables have at their begin
 *
 * SPDX-License-Identifier: 0BSD

config STACK
	bool "stack"
	default y
	help
	  usage: stack

	  Print the sum of the bytes of a new variable.
*/
#include "libbb.h"

static __attribute__((noinline)) void left(void)
{
	char bytes[2048];

	memset(bytes, 1, sizeof(bytes));
	__asm__ volatile("" : : "r"(bytes) : "memory");
}

static __attribute__((noinline)) int found(void)
{
	char bytes[2048];
	int sum = 0;

	__asm__ volatile("" : : "r"(bytes) : "memory");
	for (size_t i = 0; i < sizeof(bytes); i++)
		sum += bytes[i];
	return sum;
}

int stack_main(char **argv)
{
	(void)argv;
	left();
	xprintf("%d\n", found());
	return EXIT_SUCCESS;
}
END
ok 'the default configuration builds' build
if known -ftrivial-auto-var-init=zero; then
	is 'no variable shows what another function left on the stack' 0 "$(./ipcbox stack)"
else
	skip 'no variable shows what another function left on the stack' "$cc has no flag for it"
fi
for flag in -ftrivial-auto-var-init=zero -fstack-clash-protection; do
	if known $flag; then ok "each build has $flag" grep -q -e "$flag" obj/compile.flags; else
		skip "each build has $flag" "$cc does not know it"
	fi
done
is '.config says that CONFIG_HARDEN is off' '# CONFIG_HARDEN is not set' "$(grep HARDEN .config)"
if missing readelf; then skip 'make check-hardening prints a table' 'no readelf'; exit; fi

run make -s check-hardening
table=$out
is 'make check-hardening succeeds without a word on stderr' '0 ' "$rc $err"
ok 'the table says that the default build is static' has static
ok 'the table says that the default build has a fixed address' hasnt 'position independent'
ok 'the table says that the default build has no relro' hasnt relro
ok 'the table says that the default build has no stack protector' hasnt 'stack protector'
ok 'the table says that the default build has no page to write and to run' has 'no page to write and to run'

# maps - print the address of the first page of a fifow that waits for a reader
maps() {
	"$PWD/ipcbox" fifow ../fifo hello &
	pid=$! PIDS="$PIDS $!"
	wait_for grep -q ipcbox "/proc/$pid/maps"
	sed -n '/ipcbox/{s/-.*//p;q;}' "/proc/$pid/maps"
	kill $pid
}
mkfifo ../fifo
is 'the default build has the same address in each run' "$(maps)" "$(maps)"

# hardened HOW - has what make built all protections, and does it run?
hardened() {
	table=$(make -s check-hardening "$@")
	printf '%s\n' "$table" | grep '^  no ' >../weak
	is "$how: the table has no line without protection" '' "$(cat ../weak)"
	run ./ipcbox --list
	like "$how: the box runs" '0 *fifow*' "$rc $out"
	like "$how: readelf finds no loader in the box" 'no' "$(readelf -lW ipcbox | grep -q INTERP || echo no)"
	ok "$how: two runs have two addresses" test "$(maps)" != "$(maps)"
}
cp .config ../soft
sed -i 's/.*CONFIG_HARDEN.*/CONFIG_HARDEN=y/' .config
ok 'make builds with CONFIG_HARDEN' build
how='CONFIG_HARDEN' hardened
if missing gcc || ! gcc -static-pie -x c -o ../try - <<-END 2>/dev/null; then
	int main(void) { return 0; }
	END
	skip 'CONFIG_HARDEN builds with gcc and glibc' 'gcc cannot link static-pie'
else
	ok 'CONFIG_HARDEN builds with gcc and glibc' build CC=gcc
	how='CONFIG_HARDEN with gcc and glibc' hardened CC=gcc
fi
sed -i 's/^CONFIG_STATIC=y/# CONFIG_STATIC is not set/' .config
ok 'CONFIG_HARDEN builds a shared box' build
table=$(make -s check-hardening)
is 'a shared box with CONFIG_HARDEN lacks nothing but static' '  no   static ' "$(printf '%s\n' "$table" | grep -o '^  no   [a-z]* ')"
cp ../soft .config
for flag in -static-pie -pie; do
	ok "make builds with LDFLAGS=$flag" build LDFLAGS=$flag
	table=$(make -s check-hardening LDFLAGS=$flag)
	ok "LDFLAGS=$flag makes a static box" has static
	ok "LDFLAGS=$flag makes a position-independent box" has 'position independent'
	run ./ipcbox --list
	like "LDFLAGS=$flag makes a box that runs" '0 *fifow*' "$rc $out"
done
# This compiler knows no rcrt1.o, which relocates a static-pie at its start.
printf '#!/bin/sh\ncase " $* " in *" -### "*) echo /nowhere/Scrt1.o >&2; exit ;; esac\nexec %s "$@"\n' "$cc" >../old-cc
chmod 755 ../old-cc
run make -s LDFLAGS=-static-pie CC="$T/old-cc"
like 'make refuses static-pie where the compiler cannot make one' "2 *cannot link a static-pie: there is no '/nowhere/rcrt1.o'*" "$rc $err"
