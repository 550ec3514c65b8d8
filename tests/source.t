#!/bin/sh
# The source's own rules. They need the source, and run on the machine that builds.
. "${0%/*}/tap.sh"
cd "$tests/.." || exit
code=$(find applets libbb -name '*.[ch]')

# shellcheck disable=SC2046,SC2086 # lists of names without spaces
{
is 'no #if in applets: if (ENABLE_X) compiles both arms' '' \
	"$(grep -nE '^[[:space:]]*#[[:space:]]*(if|ifdef|elif)[[:space:]]' $(find applets -name '*.c'))"
is 'no line over 100 columns' '' "$(expand $code | awk 'length > 100')"
is 'no space at the end of a line' '' "$(grep -nE '[[:space:]]+$' $code)"
is 'no alloca, no typedef of a struct' '' "$(grep -nE 'alloca\(|typedef (struct|union)' $code)"
is 'no linux/*.h: musl-gcc has none' '' "$(grep -n 'include <linux/' $code)"
is 'no unfinished work' '' "$(grep -nE '\<(TODO|FIXME|XXX)\>|for now|not implemented' $code)"
is 'every file says its licence' '' "$(grep -L 'SPDX-License-Identifier: 0BSD' $code)"
is 'every file begins with its name and one line' '' "$(for f in $code; do
	sed -n 2p "$f" | grep -qE "^ \* (${f##*/}|$(basename "${f%.c}")) - " || echo "$f"; done)"
}

# A function of libbb has two users: applets, or other functions of libbb; or it is part
# of the box itself, which appletlib.c is.
users() {
	! grep -qw -- "$1" libbb/appletlib.c || { echo 2; return; }
	{
		grep -lsw -- "$1" applets/*.c # -s: there may be none
		for d in applets/*/; do grep -lrw -- "$1" "$d" | head -n 1; done
		# each line but the definition
		grep -hw -- "$1" libbb/*.c | grep -vE "^[a-z].*\\<$1\\("
	} | wc -l
}
lonely=$(sed -nE 's/^[a-z].*[ *]([a-z_0-9]+)\(.*\).*;.*/\1/p' libbb/*.h | sort -u | while read -r f; do
	[ "$(users "$f")" -ge 2 ] || echo "$f"
done)
is 'each function of libbb.h has two users' '' "$lonely"

# Each long option that getopt32 takes is in the help, but for the applet's own -h and -V.
for applet in $($EMULATOR "$IPCBOX" --list | grep -v pipesz); do
	files=applets/$applet.c; [ -f "$files" ] || files=applets/$applet/$applet.c
	help=$($EMULATOR "$IPCBOX" "$applet" --help)
	missing=$(awk '/getopt32\(/ { on = 1 } on { print } on && /;/ { exit }' "$files" |
		grep -oE '[A-Za-z0-9]\([a-z-]+\)' | sed 's/.*(//; s/)//' | while read -r opt; do
		printf '%s\n' "$help" | grep -qE -- "--$opt([^a-z-]|$)" || echo "$opt"
	done)
	is "$applet --help names every option" '' "$missing"
done

if command -v shellcheck >/dev/null; then
	ok 'shellcheck' shellcheck -s sh tests/*.t tests/*.sh configs/gen.sh .ci/run
else
	skip 'shellcheck' 'not installed'
fi
if command -v git >/dev/null && [ -e .git ]; then
	is 'generated files are not in the repository' '' "$(git ls-files | grep -E '^(obj/|ipcbox$|\.config)')"
fi
