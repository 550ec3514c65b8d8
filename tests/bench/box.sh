# box.sh - the questions T1 and S1 to S4: the cases, size and start. Part of bench.sh.
# shellcheck shell=sh disable=SC2034,SC2317
#
# SPDX-License-Identifier: 0BSD

# The time is measured; a case that fails on a busy machine is no error here.
# shellcheck disable=SC2016 # of the inner shell
cases() { clock_sh '"$IPCBOX" pipetest -q >/dev/null; [ $? -le 1 ]'; }
line_T1() {
	[ "$PAIRS" -le 2 ] || PAIRS=2
	contest T1 cases s 1 pipetest 'How long does pipetest take?' 'all default cases'
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
	once S1 built KiB ipcbox 'How large are six applets with every feature?' 'a static binary, without pipetest'
}
line_S2() {
	config=defconfig without=NONE
	once S2 built KiB ipcbox 'How large is the whole box?' 'a static binary, with pipetest'
}
line_S3() {
	config=minimal_defconfig without=NONE
	once S3 built KiB ipcbox 'How large is the least useful box?' 'minimal_defconfig: fifow and fifor'
}

start() {
	case $1 in ipcbox) set -- "$IPCBOX" --version ;; busybox_true) set -- busybox true ;; esac
	$pin "$TOOL" time 1000 "$@"
}
memory() {
	case $1 in ipcbox) set -- "$IPCBOX" --version ;; busybox_true) set -- busybox true ;; esac
	"$TOOL" rss "$@"
}
line_S4() {
	contest S4 start us 1 'ipcbox --version' 'How long does a program take to start and end?' 'the whole process' busybox_true
	contest S4 memory KiB 1 'ipcbox --version' 'How much memory does a process have at its end?' 'resident, with what it shares' busybox_true
}
