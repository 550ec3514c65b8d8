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
fifor_excluded='raw:frame json null count
json:null output
flush:hold raw frame null output eof count timeout open-timeout bytes pipe-size
hold:raw frame null output eof count json open-timeout bytes
quiet:verbose'
# An option that needs another one gets it.
# shellcheck disable=SC2046,SC2086 # words
need() { case $1 in unlink) echo --create ;; drop*) echo --buffer=1k ;; bytes*) echo --raw ;; esac; }
# option WORD: as it is given; a message is an operand
option() { case $1 in MESSAGE) ;; *) echo "--$1" ;; esac; }

# excluded TABLE A B
excluded() {
	printf '%s\n' "$1" | while IFS=: read -r one others; do
		case " $one/$others " in
		" $2/"*" $3 "* | " $3/"*" $2 "* | " $2/$3 "* | " $3/$2 "*) echo yes ;;
		esac
	done
}
# walk APPLET OPTIONS TABLE: the pairs that are not as the table says
walk() {
	applet=$1 options=$2 table=$3 pairs=0
	for one in $options; do
		rest=${rest#* }
		for other in ${options#*"$one"}; do
			a=${one%%=*} b=${other%%=*}
			pairs=$((pairs + 1))
			operand=
			case $a/$b in *MESSAGE*) operand=message ;; esac
			# shellcheck disable=SC2046 # words
			set -- $(need "$a") $(need "$b") $(option "$one") $(option "$other")
			expected=accepted
			for x in "$a" "$b" $(need "$a") $(need "$b"); do
				for y in "$a" "$b" $(need "$a") $(need "$b"); do
					x=${x#--} y=${y#--}
					[ -z "$(excluded "$table" "${x%%=*}" "${y%%=*}")" ] || expected=excluded
				done
			done
			[ "$applet/$a/$b" != fifow/hold/MESSAGE ] || expected=accepted # a command
			run box "$applet" "$@" nowhere/f $operand </dev/null
			got=accepted
			[ "$rc" != 2 ] || got=excluded
			[ "$got" = "$expected" ] || echo "$a $b: $got, not $expected: $err"
			case $expected/$err in excluded/*'exclude each other'* | accepted/*) ;; *) echo "$a $b: $err" ;; esac
		done
	done
	echo "$pairs pairs" >&2
}
is 'each pair of options of fifow is accepted or excluded as the table says' '' "$(walk fifow "$fifow" "$fifow_excluded" 2>n)"
ok "fifow has more than 200 pairs: $(cat n)" test "$(sed 's/ .*//' n)" -gt 200
is 'each pair of options of fifor is accepted or excluded as the table says' '' "$(walk fifor "$fifor" "$fifor_excluded" 2>n)"
ok "fifor has more than 150 pairs: $(cat n)" test "$(sed 's/ .*//' n)" -gt 150
for args in '--unlink f a' '-D newest f -' '--bytes=1 f a'; do
	run box fifow $args
	is "fifow refuses an option without the one that it needs: $args" 2 "$rc"
done
run box fifor --bytes=1 f
is 'fifor takes --bytes only with --raw' "2 fifor: --bytes needs --raw" "$rc $(printf '%s\n' "$err" | head -n 1)"
