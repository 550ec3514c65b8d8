#!/bin/sh
# Times after January 2038 need more than 32 bits: a box for a processor of 32 bits has 64 for them.
LIMIT=120
. "${0%/*}/../tap.sh"

# keeps BOX - does pcopy of BOX keep a time of the year 2040?
keeps() {
	rm -f old new
	echo text >old && touch -d '2040-01-01 00:00:00 UTC' old
	"$@" -p old new && [ "$(stat -c %Y new)" = 2208988800 ]
}
touch -d '2040-01-01 00:00:00 UTC' probe
if [ "$(stat -c %Y probe)" != 2208988800 ]; then
	skip 'pcopy -p keeps a time of the year 2040' 'this file system ends in 2038'
	exit
fi
ok 'pcopy -p keeps a time of the year 2040' keeps "$IPCBOX" pcopy

. "$room/tree.sh"
cd tree || exit
if ! tools=$(sh qemu/cross.sh i386 2>/dev/null); then skip 'a box for i386 keeps a time of the year 2040' 'no compiler or no musl for i386'; exit; fi
make -s allnoconfig && sed -i 's/.*CONFIG_\(PCOPY\|STATIC\) .*/CONFIG_\1=y/' .config
ok 'make builds pcopy for i386' eval "make -s -j2 $tools"
like 'the box for i386 has words of 32 bits' '*ELF 32-bit*' "$(file ipcbox)"
emulator=
./ipcbox --version >/dev/null 2>&1 || emulator=qemu-i386-static
if ! $emulator ./ipcbox --version >/dev/null 2>&1; then skip 'a box for i386 keeps a time of the year 2040' 'no program for i386 runs here'; exit; fi
ok 'a box for i386 keeps a time of the year 2040' keeps $emulator ./ipcbox pcopy
