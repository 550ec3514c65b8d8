# box.sh - the lines T1 and S1 to S4 of the table: the cases, size and start. Part of bench.sh.
# shellcheck shell=sh disable=SC2034,SC2317
#
# SPDX-License-Identifier: 0BSD

# The time is measured; a case that fails on a busy machine is no error here.
# shellcheck disable=SC2016 # of the inner shell
cases() { clock_sh '"$IPCBOX" pipetest -q >/dev/null; [ $? -le 1 ]'; }
line_T1() {
	PAIRS=3
	contest T1 3e9 alone ns cases 'pipetest, all default cases'
	PAIRS=$pairs
}

built() {
	o=$DISK/build
	rm -rf "$o"
	{
		$MAKE -C "$TOP" -s O="$o" "$config" &&
			sed -i "s/^CONFIG_$without=y/# CONFIG_$without is not set/" "$o/.config" &&
			$MAKE -C "$TOP" -s -j2 O="$o" "$o/ipcbox"
	} >"$MEM/build" 2>&1 || { cat "$MEM/build" >&2; return 1; }
	wc -c <"$o/ipcbox"
	rm -rf "$o"
}
line_S1() {
	config=defconfig without=PIPETEST
	once S1 172032 bytes built 'size of the six applets with every feature'
}
line_S2() {
	config=defconfig without=NONE
	once S2 360448 bytes built 'size with pipetest'
}
line_S3() {
	config=minimal_defconfig without=NONE
	once S3 81920 bytes built 'size of minimal_defconfig'
}

start() {
	case $1 in ipcbox) set -- "$IPCBOX" --version ;; busybox) set -- busybox true ;; esac
	$pin "$TOOL" time 1000 "$@"
}
memory() {
	case $1 in ipcbox) set -- "$IPCBOX" --version ;; busybox) set -- busybox true ;; esac
	"$TOOL" rss "$@"
}
line_S4() {
	contest S4 0.6 busybox ns start 'start: ipcbox --version; busybox true' busybox
	contest S4 0.4 busybox bytes memory 'resident memory of the same' busybox
}
