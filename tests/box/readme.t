#!/bin/sh
# README's examples, run as they stand there.
. "${0%/*}/../tap.sh"
readme=$top/README

if [ ! -f "$readme" ] || [ "$(getconf PAGESIZE)" != 4096 ]; then
	skip 'the examples print what README says' 'no README, or its pages are not these'
	exit
fi
mkdir bin && box --install -s bin && PATH=$T/bin:$PATH
sed -n '/^ONE EXAMPLE/,/^"APPLET/s/^    //p' "$readme" >session
sed -n 's/^\$ //p' session >commands
for applet in $(box --list | grep -v pipesz); do
	ok "README has an example of $applet" grep -w "$applet" commands
done
# How many cases there are, what this machine skips and which known bugs it has, README cannot know.
numbers() { sed -E 's/ (pass|xfail|skip):[0-9]+/ \1:N/g'; }
is 'the examples print what README says' "$(grep -v '^\$ ' session | numbers)" "$(LIMIT=60 run sh ./commands; numbers <.out)"
ok 'README has 250 lines at most' test "$(wc -l <"$readme")" -le 250
is 'README has 80 columns at most' '' "$(expand "$readme" | awk 'length > 80')"
is "README's table of exit statuses is that of ipcbox --help" "$(box --help | sed '1,/^Exit status/d; s/^ *//')" \
	"$(sed -n '/^EXIT STATUS/,/^CONFIGURATION/s/^  *//p' "$readme")"
