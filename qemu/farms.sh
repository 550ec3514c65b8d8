#!/bin/sh
# farms.sh labgrid|lava - run packaging/labgrid or packaging/lava here, with QEMU as the board
#
# labgrid runs both environments: for serial.yaml a pseudo-terminal is the serial line, and a script
# that starts and ends QEMU is the power switch. lava runs the job by lava-run, without a server.
# The files are in $OUT/labgrid and $OUT/lava. IPCBOX_RUN is another ipcbox.run= than that of the
# files: less to run.
#
# SPDX-License-Identifier: 0BSD
. "${0%/*}/lib.sh"
set -eu
: "${OUT:=obj}" "${IPCBOX_RUN:=}"
[ $# = 1 ] || die 'usage: farms.sh labgrid|lava'
farm=$1 packaging=$(realpath "$here/../packaging") dir=$(realpath "$OUT")/$1
initrd=$(realpath "$OUT")/amd64/initramfs.cpio.gz
python=/usr/bin/python3 # that of the packages
[ -r "$initrd" ] || die "no '$initrd': make initramfs ARCH=amd64"
set_board amd64
kernel=$(find "$("$here/fetch.sh" "$suite" "$arch" "$kernel" './boot/vmlinu*')" -name 'vmlinuz*' | head -n 1)
rm -rf "$dir"
cp -r "$packaging/$farm" "$dir"
pids=
# shellcheck disable=SC2317,SC2086 # a trap calls it; words
cleanup() { for f in "$dir"/*.pid; do [ ! -e "$f" ] || pids="$pids $(cat "$f")"; done; [ ! "$pids" ] || kill $pids 2>/dev/null || :; }
trap cleanup EXIT
trap 'exit 1' INT TERM

# The words of a test run stand in a file of the copy.
[ ! "$IPCBOX_RUN" ] || sed -i "s/ipcbox\.run=pipetest[^ \"]*/ipcbox.run=$IPCBOX_RUN/" "$dir"/*.yaml

suite() {
	echo "labgrid: $1"
	"$python" -m pytest -q -p no:cacheprovider --junitxml="$dir/$1.xml" --lg-env "$dir/$1.yaml" "$dir"
}
run_labgrid() {
	"$python" -c 'import labgrid' 2>/dev/null || die 'no labgrid: apt-get install python3-labgrid python3-pytest'
	export LG_KERNEL="$kernel" LG_INITRD="$initrd" LG_SERIAL="$dir/tty" LG_POWER="$dir/power"
	suite qemu
	words=$(sed -n 's/^ *boot_args: //p' "$dir/qemu.yaml")
	cat >"$LG_POWER" <<-END
		#!/bin/sh
		[ ! -e $dir/board.pid ] || kill \$(cat $dir/board.pid) 2>/dev/null
		rm -f $dir/board.pid
		[ "\$1" = on ] || exit 0
		qemu-system-x86_64 -M q35 -accel tcg -cpu max,-cx16 -smp 2 -m 256 -nodefaults -display none -monitor none \\
			-serial unix:$dir/line -no-reboot -kernel $kernel -initrd $initrd -append '$words' \\
			</dev/null >$dir/board.log 2>&1 &
		echo \$! >$dir/board.pid
	END
	chmod 755 "$LG_POWER"
	socat "PTY,link=$dir/tty,raw,echo=0" "UNIX-LISTEN:$dir/line" &
	echo $! >"$dir/socat.pid"
	suite serial
}
run_lava() {
	command -v lava-run >/dev/null || die 'no lava-run: apt-get install lava-dispatcher'
	sed -i "s|@KERNEL@|file://$kernel|; s|@INITRD@|file://$initrd|" "$dir/job.yaml"
	"$python" "$(command -v lava-run)" --job-id 1 --output-dir "$dir/out" --device "$dir/device.yaml" "$dir/job.yaml" >"$dir/log" 2>&1
	# What the console shows in pieces is one result, of the definition that the monitor names.
	grep '"lvl": "results"' "$dir/log" | sed 's/.*"msg": {\(.*\)}}/\1/; s/"extra": {[^}]*}, //; s/"level": "[^"]*", //; s/! //' >"$dir/results"
	grep -E '"definition": "(missing-fixes|totals|data-sheet)"|"result": "(fail|skip)"' "$dir/results"
	printf 'lava: %d cases passed, %d skipped, %d failed\n' \
		"$(grep -c '"definition": "pipetest".*"result": "pass"' "$dir/results")" \
		"$(grep -c '"definition": "pipetest".*"result": "skip"' "$dir/results")" \
		"$(grep -c '"definition": "pipetest".*"result": "fail"' "$dir/results")"
	grep -q '"definition": "data-sheet"' "$dir/results" && ! grep -q '"definition": "pipetest".*"result": "fail"' "$dir/results"
}
case $farm in
labgrid | lava) run_"$farm" ;;
*) die 'usage: farms.sh labgrid|lava' ;;
esac
