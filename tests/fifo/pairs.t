#!/bin/sh
. "${0%/*}/../tap.sh"

# All pairs of options: those that exclude each other are exit 2 and name both, each other pair is
# accepted. A FIFO that is not there stops the accepted ones before they wait.
fifow='create unlink frame=len null raw lock timeout=9 open-timeout=9 nonblock on-epipe=drop buffer=1k
	drop=none drain hold generate pipe-size=64k interval=0 count=1 stats quiet verbose json MESSAGE'
fifow_excluded='raw:frame null lock count interval buffer drop generate MESSAGE
hold:raw frame null lock count interval buffer drop drain generate on-epipe MESSAGE
generate:null buffer drop lock MESSAGE
nonblock:buffer timeout open-timeout
MESSAGE:null buffer drop
quiet:verbose'
fifor='create unlink frame=len null raw output=plain json eof=exit count=1 timeout=9 open-timeout=9 bytes=1
	pipe-size=64k exclusive flush hold stats quiet verbose'
fifor_excluded='raw:frame json null output count
json:null output
flush:hold raw frame null output eof count timeout open-timeout bytes pipe-size
hold:raw frame null output eof count json open-timeout bytes
quiet:verbose'
# The functions below set variables and start no processes: an emulated machine takes minutes else.
# need OPTION sets $needed to the option that it needs.
need() {
	case $1 in
	unlink) needed=--create ;;
	drop) needed=--buffer=1k ;;
	bytes) needed=--raw ;;
	*) needed= ;;
	esac
}
# option WORD sets $option to the word as it is given. A message is an operand.
option() {
	case $1 in MESSAGE) option= ;; *) option=--$1 ;; esac
}
# exclude TABLE A B sets $expected to excluded if a line of the table says so.
exclude() {
	exclude_a=$2 exclude_b=$3 IFS='
'
	for line in $1; do
		case " ${line%%:*}/${line#*:} " in
		" $exclude_a/"*" $exclude_b "* | " $exclude_b/"*" $exclude_a "* | \
		" $exclude_a/$exclude_b "* | " $exclude_b/$exclude_a "*) expected=excluded ;;
		esac
	done
	unset IFS
}
# try A B: a pair of words. Prints what is not as the table says.
try() {
	a=${1%%=*} b=${2%%=*} operand=
	case $a/$b in *MESSAGE*) operand=message ;; esac
	need "$a"; need_a=$needed; need "$b"; need_b=$needed
	option "$1"; option_a=$option; option "$2"; option_b=$option
	set -- $need_a $need_b $option_a $option_b
	expected=accepted
	for x in $a $b $need_a $need_b; do
		for y in $a $b $need_a $need_b; do
			x=${x#--} y=${y#--}
			exclude "$table" "${x%%=*}" "${y%%=*}"
		done
	done
	[ "$applet/$a/$b" != fifow/hold/MESSAGE ] || expected=accepted # a command
	run box "$applet" "$@" nowhere/f $operand </dev/null
	got=accepted
	[ "$rc" != 2 ] || got=excluded
	[ "$got" = "$expected" ] || echo "$a $b: $got, not $expected: $err"
	case $expected/$err in excluded/*'exclude each other'* | accepted/*) ;; *) echo "$a $b: $err" ;; esac
}
# walk APPLET OPTIONS TABLE: all pairs, and a test for each option with those after it
walk() {
	applet=$1 table=$3 pairs=0
	# shellcheck disable=SC2086 # words
	set -- $2
	while [ $# -gt 1 ]; do
		one=$1; shift
		for other; do try "$one" "$other"; done >wrong
		pairs=$((pairs + $#))
		is "$applet accepts or refuses ${one%%=*} with $# other options as the table says" '' "$(cat wrong)"
	done
}
walk fifow "$fifow" "$fifow_excluded"
ok "fifow has more than 200 pairs of options: $pairs" test $pairs -gt 200
walk fifor "$fifor" "$fifor_excluded"
ok "fifor has more than 150 pairs of options: $pairs" test $pairs -gt 150
for args in '--unlink f a' '-D newest f -' '--bytes=1 f a'; do
	run box fifow $args
	is "fifow refuses an option without the one that it needs: $args" 2 "$rc"
done
run box fifor --bytes=1 f
is 'fifor takes --bytes only with --raw' "2 fifor: --bytes needs --raw" "$rc $(printf '%s\n' "$err" | head -n 1)"
