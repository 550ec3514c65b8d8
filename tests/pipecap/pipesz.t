#!/bin/sh
# pipesz (CONFIG_PIPESZ, off by default), alone and beside util-linux's own of the newest suite.
. "${0%/*}/../tap.sh"
page=$(getconf PAGESIZE)
tab=$(printf '\t')

# A box that has it: the one under test, or one that is built here.
if ! box --list | grep -qx pipesz; then
	if [ -n "$EMULATOR" ] || ! command -v musl-gcc >/dev/null || [ ! -e "$top/Makefile" ]; then
		skip "pipesz works as util-linux's does" 'this box has none, and no other can be built here'
		exit
	fi
	# shellcheck disable=SC1091 # only its unset
	unset MAKEFLAGS MAKELEVEL MFLAGS CC CROSS_COMPILE CFLAGS LDFLAGS O VERSION
	make -s -C "$top" O="$T/build" allnoconfig >log 2>&1
	sed -i '/CONFIG_PIPE\(CAP\|SZ\)\>/d' build/.config
	printf 'CONFIG_PIPECAP=y\nCONFIG_PIPESZ=y\n' >>build/.config
	ok 'a box with pipecap and pipesz alone can be built' make -s -j2 -C "$top" O="$T/build"
	IPCBOX=$T/build/ipcbox
	[ -x "$IPCBOX" ] || exit
fi
ln -s "$IPCBOX" pipesz
sz() { $EMULATOR ./pipesz "$@"; }
[ -z "$EMULATOR" ] || sz() { $EMULATOR -0 pipesz "$IPCBOX" "$@"; }
sz_run() { sz "$@" >"$T/.out" 2>"$T/.err"; rc=$? out=$(cat "$T/.out") err=$(cat "$T/.err"); }
mkfifo fifo
exec 8<>fifo # held, and empty
sz -s 64k -n 8
slots=$((65536 / page))

# --- the assertions of util-linux's own tests -----------------------------------------------
sz_run --check --set $page --fd 42
is 'pipesz --check --set of a descriptor that is not open fails' \
	'1 pipesz: cannot set pipe buffer size of fd 42: Bad file descriptor' "$rc $err"
is 'pipesz --set sets the size of the pipe on stdin' 0 "$(: | sz --check --set "$page" --stdin; echo $?)"
sz_run --check --set $page --file /dev/null
is 'pipesz --check --set of /dev/null fails' 1 "$rc"
is 'pipesz --set sets the size of /dev/stdin' 0 "$(: | sz --check --set "$page" --file /dev/stdin; echo $?)"
sz_run --check --get --fd 42
is 'pipesz --check --get of a descriptor that is not open fails' \
	'1 pipesz: cannot get pipe buffer size of fd 42: Bad file descriptor' "$rc $err"
is 'pipesz --get prints the size of the pipe on stdin' "fd 0$tab$((16 * page))${tab}0" "$(: | sz --check --get --stdin)"
sz_run --check --get --file /dev/null
is 'pipesz --check --get of /dev/null fails' '1 pipesz: cannot get pipe buffer size of /dev/null: Bad file descriptor' "$rc $err"
is 'pipesz --get prints the size of /dev/stdin' "/dev/stdin$tab$((16 * page))${tab}0" "$(: | sz --check --get --file /dev/stdin)"
is 'pipesz without --set sets the size to pipe-max-size' 0 "$(: | sz --check --stdin; echo $?)"
is 'the command of pipesz gets the pipe' output_by_cat "$(echo output_by_cat | sz --check --stdin cat)"

# --- more -----------------------------------------------------------------------------------
sz_run --get --fd 42
is 'pipesz without --check warns of a failure and ends with 0' 0 "$rc"
sz_run -q -s $page -n 42 -- echo ran
is 'pipesz -q is silent, and its command runs after a failure' '0 ran ' "$rc $out $err"
sz_run -c -s $page -n 42 -- echo ran
is 'the command of pipesz --check does not run after a failure' '1 ' "$rc $out"
sz_run -gv -f fifo
is 'pipesz -g -v prints a header and the columns of -g' "pipe${tab}size${tab}unread
fifo$tab$((slots * page))${tab}0" "$out"
sz_run -g -n 8 -f fifo -n 8
is 'pipesz shows targets in the order in which they were given' "fd 8 fifo fd 8 " \
	"$(printf '%s\n' "$out" | cut -f1 | tr '\n' ' ')"
sz_run -cg -n 42 -n 8
is 'pipesz --check stops at the first failure' '1 ' "$rc $out"
sz_run -cqg -n 42
is 'pipesz --quiet does not hide the status of --check' '1 pipesz: cannot get pipe buffer size of fd 42: Bad file descriptor' "$rc $err"
sz_run -f nosuch -- echo ran
is 'pipesz warns of a missing file, and its command runs' '0 ran pipesz: cannot open nosuch: No such file or directory' "$rc $out $err"
sz_run -s 4k -s 8k -vn 8
is 'pipesz takes the last --set, with a warning' "pipesz: using last specified size
pipesz: fd 8 pipe buffer size set to $((page > 8192 ? page : 8192))" "$err"
sz_run -vs 31.5k -n 8
is 'pipesz takes a size with a fraction' "pipesz: fd 8 pipe buffer size set to $((page > 32768 ? page : 32768))" "$err"
sz_run -vs 0 -n 8
is 'pipesz takes size 0 as one page, as the kernel does' "pipesz: fd 8 pipe buffer size set to $page" "$err"
sz_run -q -s 4G -n 8 echo ran
is 'pipesz only warns of a size that no pipe can have' '0 ran' "$rc $out"
sz_run -n 8
is 'pipesz without --set gives a pipe pipe-max-size' "fd 8$tab$(cat /proc/sys/fs/pipe-max-size)${tab}0" "$(sz -g -n 8)"
sz_run --help
like 'pipesz --help prints usage on stdout' '0 usage: pipesz *' "$rc $out"
mkfifo alone
sz_run -g -f alone
is 'a FIFO that nobody else has open makes pipesz -g wait for nobody' "0 alone$tab$((16 * page))${tab}0" "$rc $out"
sz_run -c -s 4k -n 8 -- sh -c 'kill -9 $$'
is 'pipesz dies of the signal that its command dies of' 137 "$rc"

# --- beside util-linux's pipesz -----------------------------------------------------------------
# Its C library comes from the same suite; nothing is installed.
fetch() { sh "$top/qemu/fetch.sh" sid "$(dpkg --print-architecture)" "$@"; }
if ! command -v apt-get >/dev/null || ! [ -e "$top/qemu/fetch.sh" ] ||
	! package=$(fetch util-linux-extra './usr/bin/pipesz' 2>log) ||
	! libc=$(fetch libc6 '*/libc.so.6' '*/ld-linux*' 2>log); then
	skip "pipesz answers each command line as util-linux's does" 'it cannot be had here'
	exit
fi
libc=$(find "$libc" -name libc.so.6) loader=$(find "${libc%/*}" -name 'ld-linux*' | head -n 1)
real=$package/usr/bin/pipesz
theirs() { "$loader" --argv0 pipesz --library-path "${libc%/*}" "$real" "$@"; }
if ! theirs --version >log 2>&1; then
	skip "pipesz answers each command line as util-linux's does" 'it does not run here'
	exit
fi
mkdir dir && printf '#!/nosuch\n' >script && chmod 755 script
n=0
while IFS= read -r line; do
	eval "set -- $line"
	for who in theirs sz; do
		theirs -s 64k -n 8
		"$who" "$@" >out.$who 2>err.$who </dev/null
		echo "status $?" >>out.$who
	done
	is "pipesz $line answers as util-linux's does" "$(cat out.theirs err.theirs)" "$(cat out.sz err.sz)"
	n=$((n + 1))
done <"$room/pipesz.lines"
ok "at least 60 command lines were compared: $n" test $n -ge 60
for closed in '<&-' '>&-' '<&- >&-'; do
	for args in -g '-s 4k' '-g -i -o' '-cs 4k true' '-v -n 8'; do
		for who in theirs sz; do
			eval "$who $args 2>err.$who $closed; echo status \$? >>err.$who"
		done
		is "pipesz $args $closed answers as util-linux's does" "$(cat err.theirs)" "$(cat err.sz)"
	done
done
