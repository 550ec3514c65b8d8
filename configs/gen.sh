#!/bin/sh
# gen.sh WHAT FILE... - print one of the files that the build generates
#
#   kconfig APPLET.c...              the menu entries in the header comments of the applets
#   config  SEED KCONFIG...          a whole .config: the values of SEED, or else the defaults
#   all     y|n|random KCONFIG...    a .config in which every bool has that value
#   diff    .config KCONFIG...       the lines of .config that differ from the defaults
#   header  .config KCONFIG...       config.h: every known symbol is defined, so if() works
#   make    .config APPLET.c...      CONFIG_*, APPLETS, ALL_NAMES for the Makefile
#   applets .config APPLET.c...      applets.h: APPLET(name) for each enabled applet
#   text-numbers .config APPLET.c... texts.h: the number of each text
#   rows    .config APPLET.c...      rows.h: how many CASE(...) rows each group has
#   texts   .config APPLET.c...      the texts themselves, each ended by a \001
#   options APPLET.c...              the options in the help, as options.awk prints them; the
#                                    name of the applet and a tab stand before each line
#   pages   DIR .config APPLET.c...  the man pages, into DIR, with $VERSION and $DATE
#   completion SHELL .config APPLET.c...  for bash, zsh or fish
#
# An applet's source is applets/NAME.c or applets/ROOM/NAME.c. gen.sh runs under any POSIX shell
# and awk.
#
# The texts stand in this order: the box's help (TEXT_box); the help of each enabled applet
# (TEXT_NAME); each FILE.txt in the folders of these applets (TEXT_FILE); from TEXT_rows on, the
# four strings at the head of each CASE(...) row. The rows are in the file cases/NAME.c of each
# GROUP(NAME) that a header beside cases/ lists.

LC_ALL=C; export LC_ALL
what=$1; shift

# This is the first part of several awk programs. While "values" is set, it reads a .config, and
# after that it reads Kconfig files. It calls emit() once for each symbol. settle() returns true if
# the dependencies of the symbol are met, and leaves its value in v.
parse='
BEGIN { fits["bool"] = "^[yn]$"; fits["int"] = "^-?[0-9]+$"; fits["string"] = "^\".*\"$" }
values { sub(/\r$/, "") }
values && sub(/^CONFIG_/, "") { i = index($0, "="); val[substr($0, 1, i - 1)] = substr($0, i + 1) }
values && /^# CONFIG_.* is not set$/ { val[substr($2, 8)] = "n" }
values { next }
/^[a-z]/ { if (sym) emit(); sym = ""; help = 0 }
help { next }
$1 == "config" { sym = $2; def = dep = "" }
$1 == "help" { help = 1 }
$1 == "bool" || $1 == "int" || $1 == "string" { type = $1 }
$1 == "default" && def == "" { def = $2 }
$1 == "depends" { sub(/^[ \t]*depends on /, ""); dep = $0 }
END { if (sym) emit() }
function settle(  d, n) {
	for (n = split(dep, d, / *&& */); n > 0; n--)
		if (sub(/^!/, "", d[n]) ? out[d[n]] == "y" : out[d[n]] != "y") return 0
	if (type == "bool" && bools != "") v = bools == "random" ? (rand() < 0.5 ? "y" : "n") : bools
	else v = val[sym] ~ fits[type] ? val[sym] : def
	out[sym] = v
	return 1
}
function line() {
	print type == "bool" && v != "y" ? "# CONFIG_" sym " is not set" : "CONFIG_" sym "=" v
}
'

# on .config NAME - succeeds if the applet is switched on
on() { grep -q "^CONFIG_$(echo "$2" | tr '[:lower:]' '[:upper:]')=y" "$1"; }

applet() { a=${1##*/}; echo "${a%.*}"; }
line() { sed -n '2s/^ \* [a-z0-9]* - //p' "$1"; }
# end - ends a text by a byte that becomes a NUL in C: some awks would end a line at a NUL
end() { printf '\001'; }

# enabled .config APPLET.c... - prints the files of the applets that are switched on
enabled() {
	cfg=$1; shift
	for f; do if on "$cfg" "$(applet "$f")"; then echo "$f"; fi; done
}

# help FILE - prints the applet's --help, which is the help of its first stanza
help() {
	awk -v name="$(applet "$1")" '
	/^\*\// { exit }
	/^config / { on = tolower($2) == name; help = 0 }
	on && help && !NF { gap = gap "\n"; next }
	on && help { sub(/^\t  /, ""); print gap $0; gap = "" }
	on && $1 == "help" { help = 1 }' "$1"
}

# rooms .config APPLET.c... - prints the folders of the enabled applets, each once
rooms() { enabled "$@" | sed -n 's|^\(applets/.*\)/[^/]*$|\1|p' | sort -u; }
extra() { for d in $(rooms "$@"); do find "$d" -name '*.txt' | sort; done; }
groups() {
	for d in $(rooms "$@"); do
		[ ! -d "$d/cases" ] || sed -n "s|^	GROUP(\\([a-z_]*\\)).*|$d/cases/\\1.c|p" "$d"/*.h
	done
}

rows() {
	awk '
	/^\tCASE\(/ { row = ""; on = 1 }
	on { row = row $0 }
	on && gsub(/\(/, "(", row) == gsub(/\)/, ")", row) {
		on = 0
		gsub(/"[ \t]+"/, "", row)
		if (split(row, part, "\"") != 9 || row ~ /\\/) exit 1
		printf "%s\001%s\001%s\001%s\001", part[2], part[4], part[6], part[8]
	}' "$1" || { echo "$1: a CASE() without four plain strings" >&2; exit 1; }
}

# options FILE - prints a line for each option, as options.awk does
options() {
	help "$1" | awk -f configs/options.awk
	printf 'h\thelp\t\t\t\tprint the help\nV\tversion\t\t\t\tprint the version\n'
}

# box_help .config APPLET.c... - prints the help of the box
box_help() {
	sed '/^APPLETS$/,$d' libbb/help.txt
	for f in $(enabled "$@"); do printf '  %-9s %s\n' "$(applet "$f")" "$(line "$f")"; done
	sed '1,/^APPLETS$/d' libbb/help.txt
}

# page NAME LINE PART - writes $dir/NAME.1, made of $dir/help, $dir/options and the file PART
page() {
	awk -v name="$1" -v line="$2" -v date="${DATE-}" -v version="${VERSION-}" \
		-f configs/page.awk "$dir/help" "$dir/options" "$3" >"$dir/$1.1"
}

# pages .config APPLET.c... - writes the man pages into $dir
pages() {
	box_help "$@" >"$dir/help"
	: >"$dir/options"
	awk -f configs/box.awk "$dir/help" libbb/ipcbox.1 >"$dir/part"
	page ipcbox "pipes, FIFOs, shared records and whole copies" "$dir/part"
	for f in $(enabled "$@"); do
		help "$f" >"$dir/help"
		options "$f" >"$dir/options"
		page "$(applet "$f")" "$(line "$f")" "${f%.c}.1"
	done
	rm "$dir/help" "$dir/options" "$dir/part"
	for room in $(rooms "$@"); do find "$room" -name '*.5' -exec cp {} "$dir" \;; done
}

case $what in
kconfig)
	for f; do sed -n '/^config /,/^\*\//{/^\*\//!p;}' "$f"; echo; done ;;
config)
	seed=$1; shift
	awk "$parse"'function emit() { if (settle()) line() }' values=1 "$seed" values= "$@" ;;
all)
	bools=$1; shift
	awk -v bools="$bools" "$parse"'BEGIN { srand() } function emit() { if (settle()) line() }' "$@" ;;
diff)
	seed=$1; shift
	awk "$parse"'function emit() { if (settle() && v != def) line() }' values=1 "$seed" values= "$@" ;;
header)
	seed=$1; shift
	awk "$parse"'
	function emit() {
		if (type == "bool") print "#define ENABLE_" sym, val[sym] == "y" ? 1 : 0
		else print "#define CONFIG_" sym, sym in val ? val[sym] : def
	}' values=1 "$seed" values= "$@" ;;
make)
	# In a string of Kconfig, $ and # are plain characters, and blanks at the ends count. A \
	# stands only before " and \.
	sed -n '/^CONFIG_/!d; /="/{s/="\(.*\)"$/=\1/; s/\\\(.\)/\1/g; s/[$]/&&/g; s/#/$(sharp)/g; s/=\(.*\)/=$()\1$()/;}; p' "$1"
	echo "APPLETS :=$(enabled "$@" | sed 's|.*/| |; s|\.c$||' | tr -d '\n')"
	echo "ALL_NAMES :=$(shift; for f; do applet "$f"; done | sed 's/^/ /' | tr -d '\n')" ;;
applets)
	for f in $(enabled "$@"); do echo "APPLET($(applet "$f"))"; done ;;
text-numbers)
	echo "enum {"
	echo "	TEXT_box,"
	for f in $(enabled "$@"); do echo "	TEXT_$(applet "$f"),"; done
	for t in $(extra "$@"); do echo "	TEXT_$(applet "$t"),"; done
	echo "	TEXT_rows,"
	echo "};" ;;
rows)
	echo "enum {"
	for group in $(groups "$@"); do
		n=$(rows "$group" | tr -dc '\001' | wc -c)
		echo "	ROWS_$(applet "$group") = $((n / 4)),"
	done
	echo "	ROWS_END"
	echo "};" ;;
texts)
	box_help "$@"
	end
	for f in $(enabled "$@"); do help "$f"; end; done
	for t in $(extra "$@"); do cat "$t"; end; done
	for group in $(groups "$@"); do rows "$group"; done ;;
options)
	for f; do options "$f" | sed "s/^/$(applet "$f")	/"; done ;;
pages)
	dir=$1; shift
	pages "$@" ;;
completion)
	shell=$1; shift
	for f in $(enabled "$@"); do options "$f" | sed "s/^/$(applet "$f")	/"; done | awk -f "configs/$shell.awk" ;;
esac
