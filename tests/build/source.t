#!/bin/sh
# These tests read the source, and run on the machine that builds.
. "${0%/*}/../tap.sh"
cd "$top" || exit
code=$(find applets libbb -name '*.[ch]')

# shellcheck disable=SC2046,SC2086 # lists of names without spaces
{
none() { name=$1 pattern=$2; shift 2; is "$name" '' "$(grep -nE -- "$pattern" "$@")"; }

none 'no applet has #if: if (ENABLE_X) compiles both arms' \
	'^[[:space:]]*#[[:space:]]*(if|ifdef|ifndef|elif)\>' $(find applets -name '*.c')
none 'no line ends with a space' '[[:space:]]+$' $code Makefile configs/* tests/*/*.t tests/*.sh tests/*/*.sh
none 'no file has alloca or a typedef of a struct' 'alloca\(|typedef (struct|union)' $code
none 'no file includes linux/*.h, which musl-gcc does not have' 'include <linux/' $code
none 'no command of the build names a path to the headers of libc' '-I *(/usr)?/include' Makefile qemu/*
none 'no comment tells of unfinished work' '\<(TODO|FIXME|XXX)\>|for now|not implemented' $code
# A user can make a known name in a shared directory first, and wait there for a test of root's.
none 'a script makes no file of a known name in a directory that all may write to' \
	'(>|cp|mv|mkdir|mkfifo|touch|of=|-o) ?"?/(tmp|var/tmp|dev/shm)/[^$]' tests/*/*.t tests/*.sh tests/*/*.sh configs/gen.sh packaging/*.sh qemu/*.sh .ci/run
none 'no macro hides control flow' '#[[:space:]]*define.*\<(return|goto|break|continue)\>' $code
# A static function with PRINTF() needs a declaration, for the attribute cannot stand at a definition.
is 'no file has a forward declaration: a callee stands before its caller' '' \
	"$(grep -nE '^static [^={]*\);$' $(find applets libbb -name '*.c') | grep -v PRINTF)"
none 'messages have lower case, no full stop, and one line' \
	'(error_msg|error_msg_and_die|show_usage)\("([A-Z][a-z]|[^"]*([^.]\.|\\n)")' $code
is 'no line has over 100 columns' '' "$(for f in $code; do
	expand "$f" | awk -v f="$f" 'length > 100 { print f ":" NR }'; done)"
is 'each line of code is indented with tabs' '' "$(awk 'FNR == 1 { help = 1 } /\*\// { help = 0 } !help && /^ +[^ *]/ { print FILENAME ": " $0 }' $code)"
is 'every file says its licence' '' "$(grep -L 'SPDX-License-Identifier: 0BSD' $code)"
is 'every file begins with its name and one line' '' "$(for f in $code; do
	sed -n 2p "$f" | grep -qE "^ \* (${f##*/}|$(basename "${f%.c}")) - " || echo "$f"; done)"
is 'the top of the tree has no other files and folders' '' \
	"$(ls | grep -vE '^(Makefile|Config\.in|README|NEWS|LICENSE|SECURITY|applets|configs|examples|libbb|packaging|qemu|tests|obj|ipcbox|_install)$')"

long=$(wc -l $code | awk '$2 != "total" && $1 > 500 { printf " %s: %s", $2, $1 }')
if [ -z "$long" ]; then result ok 'no file has over 500 lines'; else
	result 'not ok' "no file has over 500 lines # TODO$long"
fi
# A function goes from the line of its name, which begins in the first column, to its last brace.
functions=$(awk 'FNR == 1 { start = 0 } /^[a-z].*\)$/ { start = FNR }
	/^}/ && start { print FNR - start + 1, FILENAME ":" start; start = 0 }' $code | sort -n)
median=$(echo "$functions" | awk '{ n[NR] = $1 } END { print n[int((NR + 1) / 2)] }')
ok "the median function has $median lines, which is under 16" test "$median" -lt 16
is 'every function fits a screen of 60 lines' '' "$(echo "$functions" | awk '$1 > 60')"
}

# The file of an applet has these parts, from top to bottom.
mains=$(grep -rl '^config ' applets)
for main in $mains; do
	applet=$(basename "${main%.c}") room=${main#applets/} room=${room%%/*}
	symbol=$(echo "$applet" | tr '[:lower:]' '[:upper:]')
	ok "$applet begins with header comment, licence, stanza, usage:, include" sh -c "tr '\n' '~' <$main | grep -qE \
		'^/\*~ \* $applet - [^~]+~ \*~ \* SPDX-License-Identifier: 0BSD~~config $symbol~'\
'	bool \"$applet\"~	default [yn]~(	depends on [A-Z]+~)?	help~	  usage: $applet .*~\*/~(#include <[a-z/.]+>~)*#include \"[a-z]+\.h\"~'"
	is "the function main of $applet is its last" "int ${applet}_main(char **argv)" "$(grep -E '^[a-z].*\)$' "$main" | tail -n 1)"
	ok "the applet $applet has a test file of its name" sh -c "ls tests/${room%.c}/$applet.t"
done

# A function that one room alone uses moves into that room. libbb is a room, too, with the box
# itself: a function that other functions of libbb use needs one applet's room at most.
uses_in_libbb() {
	grep -hw -- "$1" libbb/*.c | grep -qvE "^[a-z].*\\<$1\\(" # a line that does not define it
}
rooms_of() {
	for room in applets/*; do grep -lrw -- "$1" "$room" | head -n 1; done | wc -l
}
lonely=$(sed -nE 's/^[a-z].*[ *]([a-z_0-9]+)\(.*\).*;.*/\1/p' libbb/*.h | sort -u | while read -r f; do
	uses_in_libbb "$f" || [ "$(rooms_of "$f")" -ge 2 ] || echo "$f"
done)
is 'each function of libbb.h is used by two rooms' '' "$lonely"

# A name that two rooms define says too little. libbb is a room, too.
twice=$(echo "$code" | xargs awk '
	/^[a-z].*[a-z_0-9]\(/ && !/[;}]$/ && !/^(typedef|extern)/ {
		room = FILENAME; sub(/^applets\//, "", room); sub(/\/.*/, "", room)
		gsub(/__attribute__\(\([a-z]*\)\) */, ""); name = $0; sub(/\(.*/, "", name); sub(/.*[ *]/, "", name)
		if (name !~ /_main$/ && !((name, room) in seen)) { seen[name, room]; n[name]++; at[name] = at[name] " " FILENAME }
	}
	END { for (name in n) if (n[name] > 1) print name ":" at[name] }' | sort)
is 'no two rooms define the same function name' '' "$twice"

# An external name says of which room it is: it begins with the room's name or with that of an
# applet there. A case of pipetest calls t_ and, for its own pipe, p_; the engine's own functions are
# pipetest_, and the measurements' are bench_.
external=$(find applets -name '*.c' -exec awk '
	/^[a-z].*[a-z_0-9]\(/ && !/[;}]$/ && !/^(static|enum \{)/ {
		room = FILENAME; sub(/^applets\//, "", room); sub(/[.\/].*/, "", room)
		name = $0; gsub(/__attribute__\(\([a-z]*\)\) */, "", name)
		sub(/\(.*/, "", name); sub(/.*[ *]/, "", name); print room, name
	}' {} + | sort -u)
is 'each external name begins with the name of its room' '' "$(echo "$external" | awk '
	BEGIN { of["fifo"] = "fifo[rw]?"; of["board"] = "board|mmap[rw]"; of["pipetest"] = "pipetest|t|p|bench" }
	$2 !~ "^(" ($1 in of ? of[$1] : $1) ")_" && $2 !~ /_main$/')"

# An external variable may have the room's name itself, as t of pipetest has, which its cases read.
# The rows of a group of cases are NAME_cases.
is 'each external variable has the name of its room' '' "$(find applets -name '*.c' -exec awk '
	BEGIN { of["fifo"] = "fifo[rw]?"; of["board"] = "board|mmap[rw]"; of["pipetest"] = "pipetest|t|bench|[a-z_]+_cases" }
	/^[a-z][a-z_0-9 ]*[ *][a-z_0-9]+(\[[^]]*\])*( = .*|;)$/ && !/^(static|extern|typedef|enum) / {
		room = FILENAME; sub(/^applets\//, "", room); sub(/[.\/].*/, "", room)
		name = $0; sub(/(\[| =|;).*/, "", name); sub(/.*[ *]/, "", name)
		if (name !~ "^(" (room in of ? of[room] : room) ")(_|$)") print room, name
	}' {} +)"

# A log shows the name of a test alone: the name has to be a statement of its own. "$name" is what
# the caller of a function gives.
names=$(awk '{
	gsub(/\047\\\047\047/, "`"); gsub(/\\"/, "")
	while (match($0, /(^|[;&|({)]|then|do|else)[ \t]*(is|like|ok|skip|none) ["\047]/)) {
		quote = substr($0, RSTART + RLENGTH - 1, 1); $0 = substr($0, RSTART + RLENGTH)
		name = substr($0, 1, index($0, quote) - 1); $0 = "." substr($0, length(name) + 2)
		if (name == "$name") continue
		if (split(name, words, " ") < 3 || words[1] ~ /^(and|but|or|so|then|also)$/)
			print FILENAME ":" FNR ": " name
	}
}' tests/*/*.t)
is 'no name of a test has fewer than three words or continues the name before' '' "$names"

# The options that getopt32 takes are those that configs/gen.sh finds in the help, with their
# letters and arguments; -h and -V are everyone's. "(name)" has no short form; "*" is a list.
fifo=$(awk '/define FIFO_OPTIONS/ { on = 1 } on { print } on && !/\\$/ { exit }' applets/fifo/fifo.h)
for main in $mains; do
	applet=$(basename "${main%.c}")
	call=$(awk '/getopt32\(/ { on = 1 } on { print } on && /;/ { exit }' "$main")
	case $call in *FIFO_OPTIONS*) call=$fifo$call ;; esac
	# pipesz has to be as util-linux has it, and calls getopt_long itself.
	[ -n "$call" ] || call='"'$(sed -n "s/^	{ \"\([a-z]*\)\", \([a-z]*\)_argument, NULL, '\([a-zV]\)' },/\3(\1)\2/p" "$main" |
		sed 's/)no/)/; s/)required/):/; /(help)\|(version)/d' | tr '\n' ' ')'"'
	is "$applet --help has the options that $applet takes" \
		"$(printf '%s' "$call" | grep -oE '"[^"]*"' | tr -d '"\n' |
			grep -oE '[A-Za-z0-9]?\([a-z-]+\):?:?' | sort)" \
		"$(configs/gen.sh options "$main" | awk -F '\t' '$3 !~ /^(help|version)$/ { print $2 "(" $3 ")" $4 }' | sort)"
done

if command -v shellcheck >/dev/null; then
	ok 'shellcheck finds no fault in the scripts' shellcheck -s sh examples/*.sh tests/*/*.t tests/*.sh tests/*/*.sh configs/gen.sh packaging/*.sh qemu/*.sh .ci/run
else
	skip 'shellcheck finds no fault in the scripts' 'not installed'
fi
if command -v git >/dev/null && [ -e .git ]; then
	is 'generated files are not in the repository' '' "$(git ls-files | grep -E '^(obj/|ipcbox$|\.config)')"
fi
