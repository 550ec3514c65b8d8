#!/bin/sh
# A name or a value from a stranger has the characters that change the direction of text
# (Bidi_Control in the Unicode Standard Annex 9): no applet prints them as they are.
. "${0%/*}/../tap.sh"

codes='61C 200E 200F 202A 202B 202C 202D 202E 2066 2067 2068 2069'
all=$(printf '\330\234\342\200\216\342\200\217\342\200\252\342\200\253\342\200\254\342\200\255\342\200\256\342\201\246\342\201\247\342\201\250\342\201\251')
# clean WHAT: neither $out nor $err has one of the characters, and one of them has the rest
# shellcheck disable=SC2059 # the variables are formats: printf(1) takes \NNN there
clean() {
	raw=
	for code in $codes; do
		case $code in
		61C) byte='\330\234' ;;
		206?) byte="\\342\\201\\$(printf %o $((0x$code - 0x2066 + 0xA6)))" ;;
		*) byte="\\342\\200\\$(printf %o $((0x$code - 0x2000 + 0x80)))" ;;
		esac
		byte=$(printf "$byte")
		case $out$err in *"$byte"*) raw="$raw U+$code" ;; esac
	done
	is "$1 prints no character that changes the direction of text" ' seen' "$raw $(case $out$err in *x*y*) echo seen ;; esac)"
}
name="x${all}y"
mkdir d; cd d || exit
for applet in mmapr fifor fifow 'pipecap -g -f' 'pipecap -k -f' pcopy 'pipetest -d' 'pipetest -t' --help ''; do
	case $applet in fifow | pcopy) more=z ;; *) more= ;; esac
	run box $applet "$name" $more </dev/null
	clean "a message of ${applet:-ipcbox}"
done
run box mmapw "$name/b" id=1
clean 'a message of mmapw about a file'
run box mmapw board "$name=1"
clean 'a message of mmapw about a field'
box mmapw -S 'v:str64' board "v=$name"
for form in -1 '-1 -J' '-1 --pairs' -H '-1 -F %{v}'; do
	run box mmapr $form board
	clean "mmapr $form"
done
mkfifo "$name"
exec 7<>"$name"
for form in -J -oprefix; do
	box fifow "$name" "$name"
	run box fifor $form -n 1 -t 20 "$name"
	[ "$form" = -J ] && clean "fifor $form"
done
for form in -g '-g -v' '-g -J' '-g --pairs'; do
	run box pipecap $form -f "$name"
	clean "pipecap $form -f"
done
run box pipecap -l -J
clean 'pipecap -l -J'
run box pipecap -l
clean 'pipecap -l'
exec 7>&-; rm "$name"
: >"$name"
for form in -J -v -c; do
	run box pcopy $form "$name" "$name.copy"
	clean "pcopy $form"
done
