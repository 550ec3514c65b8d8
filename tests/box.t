#!/bin/sh
. "${0%/*}/tap.sh"

run box
is 'alone it exits with 0' 0 "$rc"
for applet in $(box --list); do
	like "and lists $applet with one line" "*
  $applet *" "$out"
done
like 'and explains the exit statuses' '*Exit status*124  a time limit*' "$out"

run box --version
like '--version' 'ipcbox [0-9]*' "$out"
run box nosuch
is 'an unknown applet is 127' "127 ipcbox: no applet 'nosuch': ipcbox --list prints the names" "$rc $err"
run box --nosuch
is 'an unknown option is 2' 2 "$rc"

for applet in $(box --list); do
	run box "$applet" --help
	is "$applet --help: status 0, nothing on stderr" '0 ' "$rc $err"
	real=$applet; [ "$applet" != pipesz ] || real=pipecap
	like "$applet --help begins with usage:" "usage: $real *" "$out"
	is "$applet --help fits a screen of 24 lines of 80 columns" '' \
		"$(awk 'length > 80 || NR > 24 { print NR ": " $0 }' "$T/.out")"
	is "ipcbox --help $applet is the same" "$out" "$(box --help "$applet")"
	run box "$applet" --version
	like "$applet --version" "$applet (ipcbox) [0-9]*" "$out"
	run box "$applet" --no-such-option
	is "$applet: an unknown option is 2 and named" "2 $applet: unknown option '--no-such-option'
Try '$applet --help'." "$rc $err"

	# Each option that --help names is known. The first wrong option may be the argument
	# of the one in question; the second never is.
	for opt in $(box "$applet" --help | grep -E '^ *-' | grep -oE '(^|[ ,])--?[A-Za-z0-9][a-z-]*' | tr -d ' ,' | sort -u); do
		case $opt in -[A-Za-z0-9]?*) continue ;; esac
		LIMIT=2 run box "$applet" "$opt" --no-such-option --no-such-option </dev/null
		like "$applet knows $opt" "*unknown option '--no-such-option'*" "$err"
	done
done

if [ -z "$EMULATOR" ]; then
	mkdir links
	ok '--install makes links' box --install -s links
	is 'for every applet' "$(box --list | sort)" "$(ls links)"
	is 'that work' "$(box --help pipecap)" "$(links/pipecap --help)"
	ok '--install again replaces them' box --install -s links
	ok '--install makes hard links' sh -c 'cp "$1" ipcbox && mkdir hard && ./ipcbox --install hard' sh "$IPCBOX"
	is 'that are the same file' "$(stat -c %i ipcbox)" "$(stat -c %i hard/pipecap)"
	ok 'and again' ./ipcbox --install hard
	is 'no temporary name is left' '' "$(find links hard -name '.*.new')"
	mkdir -p taken/pcopy
	run box --install -s taken
	is '--install does not replace a directory' "1 ipcbox: can't rename 'taken/.pcopy.new' to 'taken/pcopy': Is a directory" "$rc $err"
	is 'and takes its temporary name away' '' "$(find taken -name '.*.new')"
	ln -s ipcbox ./-pipecap
	is 'a leading - of the name is stripped' "$(box --help pipecap)" "$(./-pipecap --help)"
fi

run box --install
is '--install without a directory is 2' 2 "$rc"
if [ -c /dev/full ]; then
	run sh -c '"$0" >/dev/full' "$IPCBOX"
	is 'a full disk under stdout is 1' "1 ipcbox: can't write to standard output: No space left on device" "$rc $err"
fi
run sh -c '"$0" >&-' "$IPCBOX"
is 'a closed stdout is 1' "1 ipcbox: can't write to standard output: Bad file descriptor" "$rc $err"
