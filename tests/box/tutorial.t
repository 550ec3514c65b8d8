#!/bin/sh
# examples/TUTORIAL: each program of the tutorial has a command, and the command works.
LIMIT=120
. "${0%/*}/../tap.sh"
table=$top/examples/TUTORIAL
if [ ! -f "$table" ]; then skip 'each program of the tutorial has a command' 'no examples/TUTORIAL'; exit; fi
mkdir bin && box --install -s bin && PATH=$T/bin:$PATH
grep '^P[0-9]' "$table" >lines
is 'the table has the programs P1 to P21, each once' "$(i=1; while [ $i -le 21 ]; do echo P$i; i=$((i + 1)); done)" \
	"$(cut -d' ' -f1 lines)"
printf 'some bytes\n' >SRC
while read -r line; do
	program=${line%% *}
	command=$(printf '%s\n' "$line" | cut -c42-)
	case $program in
	P14) sh -c "$command" & writer=$! PIDS="$PIDS $!"; continue ;;
	P8) command="$command && pipetest -t 'tut.p8.*'" ;;
	esac
	run sh -c "$command" </dev/null
	is "$program: '$command' succeeds without a word on stderr" '0 ' "$rc $err"
	case $program in
	P4 | P10) like "$program prints the size of a pipe" 'size=[1-9]*' "$out" ;;
	P15)
		wait "$writer"
		is "P14: fifow sends its three names" 0 "$?"
		is 'P15 prints the names of P14' 'xiaoming0001 xiaoming0002 xiaoming0003' "$(echo $out | sed 's/read://g')" ;;
	P20) like 'P20 prints the third record of P19' 'id=12	*name=xiao bai	*' "$out" ;;
	P21) ok 'P21 copies the file' cmp SRC DST ;;
	esac
done <lines
# What the table leaves to pipetest are cases that exist.
box pipetest -l >cases
grep -o 'tut\.p[0-9]*' lines | sort -u >globs
while read -r glob; do
	ok "pipetest has cases of $glob" grep -q "^${glob}[b.]" cases
done <globs
