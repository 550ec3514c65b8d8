#!/bin/sh
# make judge LOG= gives a console that was captured elsewhere the verdict that the boards get.
. "${0%/*}/../tap.sh"
judge=$top/qemu/judge.sh

box pipetest -t 'nbk.*' >good
{ echo '[    0.000000] Booting Linux'; sed "s/\$/$(printf '\r')/" good; echo '[   40.1] reboot: Power down'; } |
	sed '20i [   12.3] random: crng init done' >console.txt
run "$judge" console.txt
like 'a log with boot noise, carriage returns and kernel messages passes' '0 target*console *pass *' "$rc $out"
head -n 30 console.txt >cut.txt
run "$judge" cut.txt
like 'the log of a run that was cut off fails' '1 *FAIL*incomplete' "$rc $out"
sed 's/^ok 7 /not ok 7 /' console.txt >failed.txt
run "$judge" failed.txt
like 'a log with a failed case fails' '1 *FAIL*not-ok' "$rc $out"
like 'make judge prints the failed case' '*not ok 7 *' "$err"
cat failed.txt console.txt >twice.txt
run "$judge" twice.txt
is 'the last of several runs in a log counts' 0 "$rc"
sed 's/pass:/pass:1/' console.txt >totals.txt
run "$judge" totals.txt
like 'a log whose totals do not fit its results fails' '1 *totals' "$rc $out"
{ sed '/^# Totals/,$d' good; printf '%s\n' '# Your kernel lacks these fixes:' '#   abc, Linux 6.14: a rule'; sed -n '/^# Totals/p' good; } >fixes.txt
run "$judge" fixes.txt
like 'the fixes that the kernel lacks are named' '0 *#   abc, Linux 6.14: a rule' "$rc $out"
printf '%s\n' 'KTAP version 1' 1..1 '# Data sheet: pipe 2 MB/s, round trip 5.1 us' 'ok 1 bench.pipe' >measured
cat good measured >sheet.txt
run "$judge" sheet.txt
like 'the data sheet behind the cases is named, and takes nothing from their verdict' \
	'0 *sheet *pass *# Data sheet: pipe 2 MB/s, round trip 5.1 us' "$rc $out"
cat failed.txt measured >sheet.txt
run "$judge" sheet.txt
like 'a failed case counts although a data sheet follows' '1 *FAIL*not-ok*' "$rc $out"
run "$judge" /nosuch
like 'the message about a log that is not there names the log' "1 judge.sh: can't read '/nosuch'" "$rc $err"
run make -s -C "$top" judge
like 'make judge without LOG says how it is called' '2 *make judge LOG=console.txt*' "$rc $err"
