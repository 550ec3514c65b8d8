#!/bin/sh
# These tests look at what pcopy takes over from SRC beside its bytes, and at what it prints.
. "${0%/*}/../tap.sh"
. "$room/pcopy.sh"
export EMULATOR
if ! command -v python3 >/dev/null; then skip 'pcopy keeps attributes and reports its copy' 'no python3'; exit; fi

# json EXPR - prints the value of EXPR in Python, where j is the JSON object in $out
json() { printf '%s\n' "$out" | python3 -c 'import json, sys; j = json.load(sys.stdin); print(eval(sys.argv[1]))' "$1"; }
holds_old() { [ "$(cat "$1")" = old ]; }

head -c 3000003 /dev/urandom >src
crc=$(python3 -c 'import zlib; print("%08x" % zlib.crc32(open("src", "rb").read()))')

# --- metadata
set_times() { python3 -c 'import os; os.utime("src", ns=(981173106789000000, 981173106123456789))'; }
set_times; chmod 2751 src
stamp() { stat -c '%a %.9Y %.9X' "$1"; }
want=$(stamp src)
umask 077
for dst in new old; do
	rm -f new; echo old >old; chmod 604 old
	run box pcopy -p src $dst 2
	is "--preserve keeps mode and times of a $dst file" "0 $want" "$rc $(stamp $dst)"
	set_times
done
run box pcopy -p --inplace src old
is '--preserve works in place' "0 $want" "$rc $(stamp old)"
set_times
rm -f new; chmod 604 old
box pcopy --preserve=time src new; box pcopy --preserve=time src old
want_mode=${want%% *} want=${want#* } want=${want% *}
stamp() { stat -c '%a %.9Y' "$1"; }
is '--preserve=time leaves the mode of a new file to umask' "700 $want" "$(stamp new)"
is '--preserve=time leaves the mode of an old file' "604 $want" "$(stamp old)"
box pcopy --preserve=mode src old
is '--preserve=mode keeps the mode' "$want_mode" "$(stat -c %a old)"
like '--preserve=mode leaves the time of the copy' "$(date +%Y)-*" "$(stat -c %y old)"
umask 022
run box pcopy --preserve=mode,colour src old
is 'an unknown word of --preserve is refused' "2 pcopy: invalid --preserve: 'colour'" "$rc $(echo "$err" | head -1)"
setx='import os, sys; os.setxattr(sys.argv[1], "user.note", b"a\0b")'
getx='import os, sys; print(os.getxattr(sys.argv[1], "user.note"))'
if python3 -c "$setx" src 2>log; then
	rm -f new; run box pcopy --preserve=xattr src new
	is '--preserve=xattr keeps an attribute' "b'a\\x00b'" "$(python3 -c "$getx" new)"
	rm -f new; run box pcopy --preserve=all src new
	is '--preserve=all keeps mode, time and attributes' "$want_mode $want b'a\\x00b'" "$(stamp new) $(python3 -c "$getx" new)"
else
	skip '--preserve=xattr keeps an attribute' 'no user attributes here'
fi
# acl.py FILE - gives FILE an ACL: u::rw, u:12:rw, g::-, m::rw and o::-. The mode of FILE is then
# 660, but the group has no right.
cat >acl.py <<'END'
import os, struct, sys
os.setxattr(sys.argv[1], "system.posix_acl_access", struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *e) for e in
    [(1, 6, 2**32 - 1), (2, 6, 12), (4, 0, 2**32 - 1), (16, 6, 2**32 - 1), (32, 0, 2**32 - 1)]))
END
get_acl() { python3 -c 'import os, sys
try: print(os.getxattr(sys.argv[1], "system.posix_acl_access").hex())
except OSError: print("none")' "$1"; }
echo text >acl
if python3 acl.py acl 2>log; then
	want_acl=$(get_acl acl)
	for options in -p --preserve=mode --preserve=all; do
		rm -f new; run box pcopy $options acl new
		is "$options keeps an ACL as a part of the mode" "0 660 $want_acl" "$rc $(stat -c %a new) $(get_acl new)"
	done
	rm -f new; box pcopy --preserve=xattr,time acl new
	is '--preserve=xattr keeps no ACL' none "$(get_acl new)"
	run box pcopy -p src acl
	is 'a SRC without an ACL leaves DST without one' '0 none' "$rc $(get_acl acl)"
	chmod 600 acl; python3 acl.py acl; run box pcopy src acl
	is 'an existing file keeps its own ACL' "0 660 $want_acl" "$rc $(stat -c %a acl) $(get_acl acl)"
	mkdir given; chmod 664 src
	sed 's/acl_access/acl_default/' acl.py >default.py && python3 default.py given
	(umask 077; : >given/new)
	if [ "$(stat -c %a given/new)" = 600 ]; then
		masks='' && skip 'a new file gets the default ACL of its directory, not umask' 'default ACLs have no effect here'
	else
		masks='022 077'
	fi
	rm given/new
	for mask in $masks; do
		(umask $mask; cp src given/theirs; for form in '' --inplace --resume; do box pcopy $form src given/ours$form; done)
		for form in '' --inplace --resume; do
			is "a new file gets the default ACL of its directory, not umask $mask: '$form'" \
				"$(stat -c %a given/theirs) $(get_acl given/theirs)" \
				"$(stat -c %a given/ours$form) $(get_acl given/ours$form)"
		done
		rm given/*
	done
else
	skip 'pcopy keeps ACLs' 'none here'
fi
if [ "$(id -u)" = 0 ]; then
	chown 12:34 src; chmod 6755 src
	rm -f new; box pcopy -p src new
	is 'pcopy -p as root keeps the owner and the set-id bits' '12 34 6755' "$(stat -c '%u %g %a' new)"
	rm -f new; box pcopy --preserve=mode src new
	is '--preserve=mode drops the set-id bits where the owner changes' '0 0 755' "$(stat -c '%u %g %a' new)"
	chown 56:78 old; chmod 640 old; box pcopy src old
	is 'an existing file keeps its owner' '56 78 640' "$(stat -c '%u %g %a' old)"
	mkdir open; chmod 777 open; chmod 644 src
	as_nobody pcopy -v -p src open/new
	like "-v says that nobody can't keep the owner" "0 *pcopy: can't preserve the owner of 'src': Operation not permitted*" "$rc $err"
	is '--preserve keeps the mode where it can not keep the owner' '65534 644' "$(stat -c '%u %a' open/new)"
	as_nobody pcopy --preserve=owner src open/new2
	is "--preserve=owner is an error where the owner can't be kept" "1 pcopy: can't preserve the owner of 'src': Operation not permitted " "$rc $err $(ls open/new2 2>/dev/null)"
	mkdir shared; chown 0:78 shared; chmod 2777 shared; echo old >shared/dst; chown 0:65534 shared/dst; chmod 664 shared/dst
	as_nobody pcopy src shared/dst
	is 'a process that can keep only the group of DST keeps the group' '0 65534 65534' "$rc $(stat -c '%u %g' shared/dst)"
else
	skip 'pcopy keeps owners' 'not root'
fi

if has_strace; then
	for options in '' -p; do
		# shellcheck disable=SC2086 # words
		run strace -o log -e trace=fchmod -e inject=fchmod:error=EPERM "$IPCBOX" pcopy $options src dst
		is "pcopy $options succeeds on a file system without modes" '0 ' "$rc $err"
	done
	run strace -o log -e trace=fchmod -e inject=fchmod:error=EPERM "$IPCBOX" pcopy --preserve=mode src dst3
	is "--preserve=mode is an error where the mode can't be kept" "1 pcopy: can't preserve the mode of 'src': Operation not permitted " "$rc $err $(ls dst3 2>/dev/null)"
else
	skip 'pcopy succeeds on a file system without modes' 'no strace, or no PTRACE_GET_SYSCALL_INFO'
fi

# --- JSON
run box pcopy -J src dst 2
is '--json has eleven members in this order' "0 ['src', 'dst', 'bytes', 'data_bytes', 'holes', 'engine', 'jobs', 'crc32', 'verified', 'synced', 'sec']" "$rc $(json 'list(j)')"
is 'the JSON says what was copied' 'src dst 3000003 3000003 0' "$(json 'j["src"], j["dst"], j["bytes"], j["data_bytes"], j["holes"]' | tr -d "(),'")"
is 'the JSON says null and false for what was not asked for' 'None False full' "$(json 'j["crc32"], j["verified"], j["synced"]' | tr -d "(),'")"
if pages_leave; then
	run box pcopy -J --verify -e rw -B 1M src dst 2
	is 'the JSON says what was verified' "$crc True rw 2" "$(json 'j["crc32"], j["verified"], j["engine"], j["jobs"]' | tr -d "(),'")"
else
	skip 'the JSON says what was verified' 'pages of a file do not leave the memory here'
fi
truncate -s 1M holes; printf x | dd of=holes bs=1 seek=300000 conv=notrunc status=none
if [ "$(stat -c %b holes)" -lt 1000 ]; then
	run box pcopy -J holes dst
	is 'the JSON counts holes and data' '2 True' "$(json 'j["holes"], 0 < j["data_bytes"] < 70000' | tr -d '(),')"
fi
odd=$(printf 'a"\\\n\tb\033\303\274')
cp src "$odd"
run box pcopy -J "$odd" dst
is 'the JSON holds a name of odd characters' "$(printf '%s' "$odd" | python3 -c 'import sys; print(ascii(sys.stdin.read()))')" "$(json 'ascii(j["src"])')"
for bytes in '\0377x' '\0300\0200' '\0355\0240\0200' '\0364\0220\0200\0200' 'ab\0342\0202'; do
	odd=$(printf '%b' "$bytes")
	cp src "$odd"
	run box pcopy -J "$odd" dst
	is "the JSON has a name that is not UTF-8 as base64: $bytes" "$(printf '%s' "$odd" | base64)" "$(json 'j["src_b64"]')"
done
for bytes in '\0360\0237\0230\0200' '\0357\0277\0277' '\0337\0277'; do
	odd=$(printf '%b' "$bytes")
	cp src "$odd"
	run box pcopy -J "$odd" dst
	is "the JSON holds a name that is UTF-8 as it is: $bytes" "$odd" "$(json 'j["src"]')"
done
run box pcopy -Jc src dst
is '--checksum is in the JSON' "0 $crc" "$rc $(json 'j["crc32"]')"
run box pcopy src dst -J -q
is '--json with --quiet prints one line and no message' '1 ' "$(printf '%s\n' "$out" | wc -l) $err"

# --- progress
mkfifo fifo
$EMULATOR "$IPCBOX" pcopy fifo dst 2>err & pid=$!
exec 9>fifo
head -c 100000 src >&9
wait_for writes_some
ask() { kill -s USR1 $pid; grep -q . err; }
wait_for ask
exec 9>&-
wait $pid
is 'SIGUSR1 lets the copy go on' 0 $?
like 'SIGUSR1 says how far the copy is' 'pcopy: *iB  *iB/s' "$(head -1 err)"
rm -f fifo; mkfifo fifo
$EMULATOR "$IPCBOX" pcopy --progress=json fifo dst 2>err & pid=$!
exec 9>fifo
head -c 100000 src >&9
wait_for grep -q . err
exec 9>&-
wait $pid
out=$(tail -1 err)
is '--progress=json has five members' "['bytes', 'total', 'percent', 'rate', 'eta']" "$(json 'list(j)')"
# on_columns N - prints what pcopy writes to a terminal of N columns, with each \r in a line of its own
on_columns() {
	python3 -c 'import fcntl, os, pty, struct, subprocess, sys, termios
ours, theirs = pty.openpty()
fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 24, int(sys.argv[1]), 0, 0))
p = subprocess.Popen(sys.argv[2:], stderr=theirs)
os.close(theirs)
try:
    while text := os.read(ours, 4096): os.write(1, text.replace(b"\r", b"\n").replace(b"\033[K", b""))
except OSError: pass
sys.exit(p.wait())' "$1" $EMULATOR "$IPCBOX" pcopy -P src dst
}
for width in 5 20 40 80 200; do
	out=$(on_columns $width); rc=$?
	is "the progress fits $width columns" "0 $width" "$rc $(printf '%s\n%*s\n' "$out" $width '' | wc -L)"
	like "$width columns show the percentage" '*100%*' "$out"
done
# on_terminal OPTION... - prints what pcopy writes to a terminal during a copy of 3 seconds
on_terminal() {
	python3 -c 'import os, pty, subprocess, sys, time
ours, theirs = pty.openpty()
p = subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stderr=theirs)
os.close(theirs)
for i in range(8):
    p.stdin.write(bytes(100000)); p.stdin.flush(); time.sleep(0.4)
p.stdin.close()
try:
    while text := os.read(ours, 4096): os.write(1, text)
except OSError: pass
sys.exit(p.wait())' $EMULATOR "$IPCBOX" pcopy "$@" - dst
}
out=$(on_terminal); rc=$?
like 'a terminal shows how far the copy is' "0 ?*iB  *iB/s*" "$rc $out"
like 'pcopy clears the line of the terminal at the end' "*$(printf '\r\033[K')" "$out"
on_terminal -q >out; is '--quiet prints nothing on a terminal' '0 0' "$? $(wc -c <out)"
is 'stderr that is no terminal sees no progress' 0 "$({ sleep 2.5; echo; } | box pcopy - dst 2>&1 | wc -c)"
run box pcopy -P -e rw src dst
like '--progress prints the last line where stderr is no terminal' '?2.8 MiB of 2.8 MiB  100%  * left*' "$err"
run box pcopy -e rw -B 64k --progress=json src dst 2
out=$(tail -1 "$T/.err")
is 'the last line of --progress=json says 100 percent' '100 3000003' "$(json 'j["percent"], j["bytes"]' | tr -d '(),')"
