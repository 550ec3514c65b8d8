#!/bin/sh
# mmapr on a terminal: in place where it repeats, lines everywhere else.
. "${0%/*}/../tap.sh"

if [ -n "$EMULATOR" ] || ! command -v python3 >/dev/null; then
	skip 'a record is shown in place on a terminal' 'emulated, or no python3'
	exit
fi
# terminal ROWS COMMAND...: what COMMAND writes to a terminal until it ends
cat >terminal.py <<'END2'
import fcntl, os, pty, struct, sys, termios
rows, command = int(sys.argv[1]), sys.argv[2:]
pid, fd = pty.fork()
if pid == 0:
    fcntl.ioctl(1, termios.TIOCSWINSZ, struct.pack('HHHH', rows, 80, 0, 0))
    os.execvp(command[0], command)
data = b''
while True:
    try: more = os.read(fd, 4096)
    except OSError: break
    if not more: break
    data += more
os.waitpid(pid, 0)
print(data.replace(b'\r\n', b'\n').decode().replace('\033', '^['), end='')
END2
terminal() { run env TERM="${term-vt100}" python3 terminal.py "$@"; }

box mmapw b id=10 name='xiao bai' sex=M
terminal 24 "$IPCBOX" mmapr -1 b
is 'mmapr -1 prints a line on a terminal' "id=10	 name=xiao bai	 sex=M" "$out"
box mmapr --plain -1 b >plain
show="'$IPCBOX' mmapr -f -s 0 -t 500ms b & sleep 0.1; '$IPCBOX' mmapw b id=11; wait"
terminal 24 sh -c "$show"
is 'mmapr -f shows a field a line on a terminal, and marks what changed' \
	'^[[?7l  id=10^[[K^[[?7h
^[[?7l  name=xiao bai^[[K^[[?7h
^[[?7l  sex=M^[[K^[[?7h
^[[3A^[[?7l* id=11^[[K^[[?7h
^[[?7l  name=xiao bai^[[K^[[?7h
^[[?7l  sex=M^[[K^[[?7h' "$(echo "$out" | grep -v mmapr:)"
for opts in --plain -J --pairs '-F %{id},'; do
	terminal 24 "$IPCBOX" mmapr -f -s 0 -t 10ms $opts b
	case $out in *'^['*) got=moves ;; *id*11*|11*) got=lines ;; *) got=$out ;; esac
	is "mmapr -f $opts prints lines on a terminal" lines "$got"
done
term=dumb
terminal 24 "$IPCBOX" mmapr -f -s 0 -t 10ms b
like 'mmapr -f prints lines on a dumb terminal' "id=11	 name=*" "$out"
term=vt100
terminal 3 "$IPCBOX" mmapr -f -s 0 -t 10ms b
like 'mmapr -f prints lines where the fields are more than the terminal shows' "id=11	 name=*" "$out"
run box mmapr -f -s 0 -t 10ms b
is 'mmapr -f prints lines where stdout is no terminal' "id=11	 name=xiao bai	 sex=M" "$out"
box mmapw esc name="$(printf 'a\033[2Jb')"
terminal 24 "$IPCBOX" mmapr -f -s 0 -t 10ms esc
like 'mmapr -f sends no control character of the data to a terminal' '*name=a\\x1b\[2Jb^\[\[K*' "$out"
