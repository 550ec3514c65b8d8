#!/bin/sh
. "${0%/*}/../tap.sh"

run box
is 'ipcbox alone exits with 0' 0 "$rc"
for applet in $(box --list); do
	like "ipcbox alone lists $applet with one line" "*
  $applet *" "$out"
done
like 'ipcbox alone explains the exit statuses' '*Exit status*124  a time limit*' "$out"

run box --version
like 'ipcbox --version prints the version' 'ipcbox [0-9]*' "$out"
run box nosuch
is 'an unknown applet is exit 127' "127 ipcbox: no applet 'nosuch': ipcbox --list prints the names" "$rc $err"
run box --nosuch
is 'an unknown option of ipcbox is exit 2' 2 "$rc"

for applet in $(box --list); do
	run box "$applet" --help
	is "$applet --help ends with status 0 and prints nothing on stderr" '0 ' "$rc $err"
	like "$applet --help begins with usage:" "usage: $applet *" "$out"
	is "$applet --help has at most 40 lines of 80 columns" '' \
		"$(awk 'length > 80 || NR > 40 { print NR ": " $0 }' "$T/.out")"
	is "ipcbox --help $applet prints what $applet --help prints" "$out" "$(box --help "$applet")"
	run box "$applet" --version
	like "$applet --version prints the name and the version" "$applet (ipcbox) [0-9]*" "$out"
	[ "$applet" != pipesz ] || continue # it answers as util-linux's pipesz: pipesz.t
	run box "$applet" --no-such-option
	is "$applet names an unknown option, and exits with 2" "2 $applet: unknown option '--no-such-option'
Try '$applet --help'." "$rc $err"

	# Each option that --help names is known. The first wrong option may be the argument
	# of the one in question; the second never is.
	for opt in $(box "$applet" --help | grep -E '^ *-' | grep -oE '(^|[ ,])--?[A-Za-z0-9][a-z-]*' | tr -d ' ,' | sort -u); do
		case $opt in -[A-Za-z0-9]?*) continue ;; esac
		LIMIT=2 run box "$applet" "$opt" --no-such-option --no-such-option </dev/null
		like "$applet knows the option $opt" "*unknown option '--no-such-option'*" "$err"
	done
done

if [ -z "$EMULATOR" ]; then
	mkdir links
	ok '--install makes links' box --install -s links
	is '--install makes a link for every applet' "$(box --list | sort)" "$(ls links)"
	is 'the links that --install makes work' "$(box --help pipecap)" "$(links/pipecap --help)"
	ok '--install replaces links that are there already' box --install -s links
	ok '--install makes hard links' sh -c 'cp "$1" ipcbox && mkdir hard && ./ipcbox --install hard' sh "$IPCBOX"
	is 'the hard links that --install makes are the same file as the box' "$(stat -c %i ipcbox)" "$(stat -c %i hard/pipecap)"
	ok '--install makes hard links again where they are already' ./ipcbox --install hard
	is '--install leaves no temporary name' '' "$(find links hard -name '.*.new')"
	mkdir self && cp "$IPCBOX" self/pcopy && ln -s pcopy self/ipcbox
	for form in -s ''; do
		ok "--install $form succeeds where the box has an applet's name" self/ipcbox --install $form self
		ok "--install $form leaves the box where it has an applet's name" test ! -L self/pcopy
		is "--install $form makes working links beside a box that has an applet's name" "$(box --help pipecap)" "$(self/pipecap --help)"
	done
	mkdir none
	run sh -c 'exec 9<self/pcopy; ln -s /proc/self/fd/9 ipcbox-gone; rm self/pcopy; ./ipcbox-gone --install -s none'
	is '--install of a program that was deleted is an error' "1 ipcbox: can't link to '$T/self/pcopy (deleted)': it is gone" "$rc $err"
	is '--install of a program that was deleted makes no link' '' "$(ls -A none)"
	mkdir -p taken/pcopy
	run box --install -s taken
	is '--install does not replace a directory' "1 ipcbox: can't rename 'taken/.pcopy.new' to 'taken/pcopy': Is a directory" "$rc $err"
	is '--install that fails takes its temporary name away' '' "$(find taken -name '.*.new')"
	ln -s ipcbox ./-pipecap
	is 'the box ignores a leading - of its name' "$(box --help pipecap)" "$(./-pipecap --help)"
fi

run box --install
is '--install without a directory is exit 2' 2 "$rc"
for dir in nosuch ''; do
	run box --install "$dir"
	is "--install names the missing directory '$dir'" "1 ipcbox: can't open '$dir': No such file or directory" "$rc $err"
done
if [ -c /dev/full ]; then
	run sh -c '"$0" >/dev/full' "$IPCBOX"
	is 'ipcbox with a full disk under stdout is exit 1' "1 ipcbox: can't write to standard output: No space left on device" "$rc $err"
fi
run sh -c '"$0" >&-' "$IPCBOX"
is 'ipcbox with a closed stdout is exit 1' "1 ipcbox: can't write to standard output: Bad file descriptor" "$rc $err"

# Each applet with standard descriptors closed, with one descriptor to open, with little
# memory: it does its work, or says why not, with a status of the table.
mkfifo fifo && echo 12345 >src && box mmapw -c 1 board
commands='pipecap
pipecap -I
pipecap -l
pipecap -g -f fifo
fifow -t 0.1 fifo hello
fifor -t 0.1 fifo
mmapw -c 1 new
mmapw board id=3
mmapr -1 board
pcopy src dst 2
pcopy -y src dst
pipetest -q -t tut.p1.*
--list
--help pipecap
--install -s .'
# NAME PREFIX REDIRECTION
survives() {
	bad=$(echo "$commands" | while read -r words; do
		rm -f dst new
		run sh -c "$2 exec $EMULATOR '$IPCBOX' $words $3" </dev/null
		case $3 in *'2>&-'*) err='none is due' ;; esac
		case $rc in
		0) [ ! -e dst ] || cmp src dst || echo "$words: a wrong copy" ;;
		1 | 3 | 77 | 124) [ -n "$err" ] || echo "$words: $rc without a message" ;;
		*) echo "$words: $rc $err" ;;
		esac
	done)
	is "each applet works, or says why not, with $1" '' "$bad"
}
survives 'stdin closed' '' '<&-'
survives 'stdout closed' '' '>&-'
survives 'stderr closed' '' '2>&-'
survives 'all three closed' '' '<&- >&- 2>&-'
survives 'SIGPIPE at its default, stdout full' '' '>/dev/full'
survives 'no descriptor left' 'ulimit -n 3;' ''
survives 'one descriptor left' 'ulimit -n 4;' ''
# As little as lets it start at all, which the sanitizers and an emulator do not.
run sh -c "ulimit -v 1024; exec $EMULATOR '$IPCBOX' --version"
if [ $rc = 0 ]; then survives '1 MiB of memory' 'ulimit -v 1024;' ''; else
	skip 'each applet works, or says why not, with 1 MiB of memory' 'needs more to start'
fi
is 'no applet leaves a temporary file where it cannot work' '' "$(find . -name '.pcopy-*' -o -name '.*.new')"
