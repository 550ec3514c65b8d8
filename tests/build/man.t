#!/bin/sh
# The man pages have the options that the applets take, and their examples run.
. "${0%/*}/../tap.sh"
. "$room/tree.sh"
cd tree || exit
make -s man || { skip 'make builds the man pages' 'they cannot be made here'; exit; }
box=$top/ipcbox
: "${IPCBOX:=$box}"
mkdir ../bin && ln -s "$IPCBOX" ../bin/ipcbox && "$IPCBOX" --install -s ../bin && PATH=$T/bin:$PATH
pages=$(ls obj/man/*.1)

is 'the box and each applet has a man page' "$({ echo ipcbox; "$IPCBOX" --list; } | sort)" \
	"$(basename -s .1 $pages | sort)"
if missing mandoc; then skip 'mandoc finds nothing to warn of' 'no mandoc'; else
	is 'mandoc finds nothing to warn of' '' "$(mandoc -T lint -W warning obj/man/* 2>&1)"
	for page in $pages; do
		is "${page##*/} has no line over 80 columns" '' \
			"$(mandoc -T ascii -O width=78 "$page" | col -bx | awk 'length > 80')"
	done
fi
make -s man VERSION=9.8
like 'the pages have the version that make man was given last' '*"ipcbox 9.8"*' "$(head -n 5 obj/man/pcopy.1)"
make -s man SOURCE_DATE_EPOCH=1700000000
like 'the pages have the date that make man was given last' '*.Dd 2023-11-14*' "$(head -n 5 obj/man/pcopy.1)"
make -s man
make -s O=../none allnoconfig
LIMIT=20 run make -s O=../none man
is 'a box without applets has its page' '0 ipcbox.1' "$rc $(ls ../none/obj/man)"
for page in $pages; do
	for section in NAME SYNOPSIS DESCRIPTION 'EXIT STATUS' EXAMPLES 'SEE ALSO'; do
		ok "${page##*/} has the section $section" grep -qx ".Sh $section" "$page"
	done
done

# The table that options.awk makes of the help, the page and the applet have the same options.
grep -rl '^config ' applets | sort >../files
while read -r file; do
	applet=$(basename "${file%.c}")
	[ -e "obj/man/$applet.1" ] || continue # it is switched off
	# "-" stands for a letter or an argument that is missing.
	configs/gen.sh options "$file" | awk -F '\t' '{ print $2 == "" ? "-" : $2, $3, $4 == "" ? "-" : $4 }' >../options
	while read -r letter long how; do
		entry=".It Fl $letter , Fl "
		[ "$letter" != - ] || entry='.It Fl '
		ok "$applet.1 has an entry for --$long" grep -qF "$entry\\-$(printf '%s' "$long" | sed 's/-/\\-/g')" "obj/man/$applet.1"
		[ "$how" != - ] || {
			run "$IPCBOX" "$applet" "--$long=x"
			is "$applet --$long takes no argument" 2 "$rc"
		}
	done <../options
done <../files

# examples PAGE - print the EXAMPLES of PAGE: "$ " and a command, then what the command prints
examples() {
	sed -n '/^\.Sh EXAMPLES/,/^\.Sh SEE/{/^\.Bd/,/^\.Ed/{/^\.[BE]d/!p;};}' "$1" | sed 's/\\e/\\/g; s/\\-/-/g'
}
for page in $pages; do
	applet=$(basename "$page" .1)
	mkdir "../$applet" && cd "../$applet" || exit
	examples "../tree/$page" >session
	sed -n 's/^\$ //p' session >commands
	ok "$applet.1 has examples" test -s commands
	is "the examples of $applet.1 print what the page says" "$(grep -v '^\$ ' session)" "$(LIMIT=20 run sh ./commands; cat "$T/.out")"
	cd ../tree || exit
done
