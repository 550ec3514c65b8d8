#!/bin/sh
# gen.sh WHAT FILE... - print one of the files the build generates.
#
#   kconfig APPLET.c...              menu entries, out of the applets' header comments
#   config  SEED KCONFIG...          a whole .config: SEED's values, else defaults
#   all     y|n|random KCONFIG...    a .config with every bool at that value
#   diff    .config KCONFIG...       only what differs from the defaults
#   header  .config KCONFIG...       config.h: every known symbol is defined, so if() works
#   make    .config APPLET.c...      CONFIG_*, APPLETS and their NAMES for the Makefile
#   applets .config APPLET.c...      applets.h: APPLET(name, function, line, help) for each
#                                    name of an enabled applet
#
# An applet's source is applets/NAME.c or applets/NAME/NAME.c; a line " * also: NAME" of
# its header comment gives it another name.  Runs under any POSIX shell and awk.

LC_ALL=C; export LC_ALL
what=$1; shift

# Reads a .config while "values" is set, then Kconfig files; emit() runs once a symbol,
# settle() says whether its dependencies are met and leaves its value in v.
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

# enabled .config APPLET.c... - the files of the applets that are switched on
enabled() {
	cfg=$1; shift
	for f; do
		a=${f##*/} a=${a%.c}
		if grep -q "^CONFIG_$(echo "$a" | tr '[:lower:]' '[:upper:]')=y" "$cfg"; then echo "$f"; fi
	done
}

# names FILE - the names of the applet: the file's own first
names() {
	a=${1##*/}
	echo "${a%.c} $(sed -n '/^config /q; s/^ \* also: //p' "$1")"
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
	grep '^CONFIG_' "$1" | tr -d '"'
	echo "APPLETS :=$(enabled "$@" | sed 's|.*/| |; s|\.c$||' | tr -d '\n')"
	echo "NAMES :=$(for f in $(enabled "$@"); do printf ' %s' "$(names "$f")"; done)" ;;
applets)
	for f in $(enabled "$@"); do
		awk -v names="$(names "$f")" '
		function esc(s) { gsub(/\\/, "&&", s); gsub(/"/, "\\\"", s); return s }
		BEGIN { count = split(names, name, " ") }
		FNR == 2 { line = $0; sub(/^ \* [a-z0-9]+ - /, "", line) }
		/^\*\// { exit }
		/^config / { on = tolower($2) == name[1]; help = 0 }
		on && help && !NF { gap = gap "\t\"\\n\"\n"; next }
		on && help { sub(/^\t  /, ""); text = text gap "\t\"" esc($0) "\\n\"\n"; gap = "" }
		on && $1 == "help" { help = 1 }
		END {
			for (i = 1; i <= count; i++)
				printf "APPLET(%s, %s, \"%s\",\n%s)\n", name[i], name[1], esc(line), text
		}' "$f"
	done ;;
esac
