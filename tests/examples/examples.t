#!/bin/sh
# Each file of examples/ runs as its first lines say.
. "${0%/*}/../tap.sh"

examples=$top/examples
export PATH="$T/bin:$PATH"
mkdir bin && cp "$IPCBOX" bin/ipcbox && bin/ipcbox --install -s bin || exit
have() { command -v "$1" >/dev/null 2>&1; }
if [ -n "$EMULATOR" ]; then
	skip 'the examples run as printed' 'emulated'
	exit
fi

# --- a sensor -----------------------------------------------------------------------------------
INTERVAL=0.1 "$examples/sensor.sh" board & sensor=$! PIDS="$PIDS $!"
wait_for mmapr -1 board
like 'sensor.sh publishes the load of the machine' 'load=[0-9]*	 unit=load' "$(mmapr -1 board)"
timeout 20 "$examples/alarm.sh" board -1 >alarms & alarm=$! PIDS="$PIDS $!"
wait_for sh -c 'test "$(wc -l <alarms)" -ge 3'
like 'alarm.sh prints each reading over the limit' '[0-9]*.[0-9]* load is over -1' "$(head -n 1 alarms)"
kill $alarm 2>/dev/null
if have python3; then
	like 'board.py prints what sensor.sh has published' '{"load":*[0-9],"unit":"load"}' "$(python3 "$examples/board.py" board)"
else
	skip 'board.py prints what sensor.sh has published' 'no python3'
fi
pkill -P $sensor mmapw; wait $sensor 2>/dev/null
run "$examples/alarm.sh" board 0
is 'alarm.sh ends with 4 where the sensor has stopped' 4 "$rc"

if have cc; then
	# The lines of the header comment are the commands.
	cp "$examples/sensor.c" .
	sed -n 's/^ \*   \(mmapw\|mmapr\|cc\) /\1 /p' sensor.c | sed "s|/run/sensor|$T/c|" >build
	is 'sensor.c says in three commands how it is built' 3 "$(wc -l <build)"
	ok 'sensor.c is built as it says' sh -e build
	run ./sensor c 0.75
	is 'sensor.c publishes a reading' '0 ' "$rc $err"
	is 'sensor.c reads what it has published' '0.75 load' "$(./sensor c)"
	is 'the shell reads what sensor.c has published' "load=0.75	 unit=load" "$(mmapr -1 c)"
	mmapw c load=2
	is 'sensor.c reads what the shell has published' '2 load' "$(./sensor c)"
	! have python3 || like 'board.py reads what the shell has published' '{"load":2.0,*' "$(python3 "$examples/board.py" c)"
else
	skip 'sensor.c publishes and reads' 'no cc'
fi

# --- a collector of logs ---------------------------------------------------------------------------
"$examples/collect.sh" fifo log & collector=$! PIDS="$PIDS $!"
wait_for test -p fifo
for writer in 1 2 3; do
	seq -f "$writer %04.0f" 500 | fifow --interval 1ms fifo - & eval "writer$writer=$!"
done
for restart in 1 2 3 4 5; do
	wait_for pgrep -P $collector -f 'fifor --output'
	pkill -TERM -P $collector -f 'fifor --output'
	[ "$restart" = 5 ] || sleep 0.1
done
wait "$writer1" "$writer2" "$writer3"
all_there() { [ "$(wc -l <log)" -ge 1500 ]; }
wait_for all_there
is 'collect.sh has each message once though its reader was ended five times' '1500 1500' "$(wc -l <log) $(sort -u log | wc -l)"
is 'collect.sh keeps the order of each writer' '' "$(for w in 1 2 3; do grep "^$w " log | sort -c 2>&1; done)"
kill $collector
wait $collector
is 'collect.sh ends of SIGTERM' 143 $?

# --- a firmware update --------------------------------------------------------------------------------
head -c 300000 "$IPCBOX" >image
run "$examples/update.sh" image target
is 'update.sh puts the image down and says so' '0 update.sh: target is on the medium and verified' "$rc $out"
ok 'after update.sh the target is the image' cmp image target
run "$examples/update.sh" image target 00000001
like 'update.sh ends with 5 for a wrong CRC, and says not to boot' '5 *update.sh: target is not what was sent: do not boot it' "$rc $err"
ok 'after a wrong CRC the target has its old content' cmp image target
run "$examples/update.sh" missing target
like 'update.sh ends as pcopy does where there is no image' "1 pcopy: can't open 'missing': *" "$rc $err"
# The image changes while it is copied: a shell writes into it the whole time.
head -c 50000000 /dev/zero >image
sh -c 'while :; do echo x 1<>image; done' & changer=$! PIDS="$PIDS $!"
LIMIT=60 PAUSE=0 run "$examples/update.sh" image target
kill $changer
like 'update.sh tries three times where the image changes, and ends with 4' '4 *during try 1*during try 2*during try 3' "$rc $err"

# --- a board, and a CI job ------------------------------------------------------------------------------
ci=$(sed -n 's/^ *- run: make -C ipcbox deps qemu \(.*\)/\1/p' "$examples/ci.yml")
# shellcheck disable=SC2016 # the text of ci.yml
is 'ci.yml boots the kernel by make qemu' 'ARCH=amd64 KERNEL="$PWD/arch/x86/boot/bzImage"' "$ci"
kernel=$(find -L "${XDG_CACHE_HOME:-$HOME/.cache}/ipcbox/bookworm-amd64-linux-image-cloud-amd64/" -name 'vmlinuz*' 2>/dev/null | head -n 1)
if [ "$(uname -m)" != x86_64 ] || [ -z "$kernel" ] || ! have qemu-system-x86_64 || ! have cpio; then
	skip 'bring-up.sh proves and measures a kernel' 'needs x86_64, QEMU, cpio and a kernel: make qemu ARCH=amd64'
	skip 'the command of ci.yml boots a kernel' 'needs x86_64, QEMU, cpio and a kernel: make qemu ARCH=amd64'
	exit
fi
# A copy of the source, for both build in it. Fewer cases than as printed: they are proved elsewhere.
mkdir source && (cd "$top" && tar -cf - --exclude=./obj --exclude=./.git --exclude=./_install .) | tar -xf - -C source
cd source || exit
# shellcheck disable=SC2016 # bring-up.sh sets the variables
LIMIT=200 run "$examples/bring-up.sh" amd64 "$kernel" sh -c 'exec qemu-system-x86_64 -M q35 -cpu max,-cx16 -m 256 -nodefaults \
	-display none -serial stdio -no-reboot -kernel "$KERNEL" -initrd "$INITRAMFS" \
	-append "console=ttyS0 quiet panic=-1 no_timer_check ipcbox.run=pipetest,-b,-D,20ms;pipetest,-t,tut.*"'
is 'bring-up.sh ends with 0 where no case fails' 0 "$rc"
like 'bring-up.sh prints the data sheet and the verdict' '*Data sheet: *  setup.fork_and_wait *console *pass *' "$out"
[ "$rc" = 0 ] || say "$out" "$err"
cd "$T" || exit
mkdir -p arch/x86/boot && ln -s "$kernel" arch/x86/boot/bzImage
IPCBOX_APPEND='ipcbox.run=pipetest,-t,tut.*' LIMIT=200 run sh -c "make -C source qemu $ci"
like 'the command of ci.yml boots a kernel and judges it' '0 *amd64 *pass *' "$rc $out"
like 'the command of ci.yml leaves the console where ci.yml says' '*# Totals: *' \
	"$(cat "source/$(sed -n 's|^ *path: ipcbox/||p' "$examples/ci.yml")")"
[ "$rc" = 0 ] || say "$out" "$err"
