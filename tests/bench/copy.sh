# copy.sh - the lines C1 to C6 of the table: copies. Part of bench.sh.
# shellcheck shell=sh disable=SC2034,SC2317
#
# SPDX-License-Identifier: 0BSD

# afresh removes the copy of the last run, and waits until all of its writes are on the disk.
afresh() {
	rm -f "$dir/dst"
	[ "$dir" = "$MEM" ] || sync -f "$dir"
}
drop() { dd if="$1" iflag=nocache count=0 status=none; }
copy() {
	afresh
	case $1 in
	ipcbox) clock "$IPCBOX" pcopy -q --no-sync "$dir/src" "$dir/dst" ;;
	cp) clock cp "$dir/src" "$dir/dst" ;;
	dd) clock dd bs=1M status=none if="$dir/src" of="$dir/dst" ;;
	busybox | toybox) clock "$1" cp "$dir/src" "$dir/dst" ;;
	esac && same "$dir"
}
durable() {
	afresh
	[ ! "$cold" ] || drop "$dir/src"
	case $1 in
	ipcbox) clock "$IPCBOX" pcopy -q "$dir/src" "$dir/dst" ;;
	cp) clock_sh "cp $dir/src $dir/dst && sync $dir/dst" ;;
	dd) clock dd bs=1M conv=fsync status=none if="$dir/src" of="$dir/dst" ;;
	dd,direct) clock dd bs=1M oflag=direct conv=fsync status=none if="$dir/src" of="$dir/dst" ;;
	esac && same "$dir"
}
verified() {
	afresh
	case $1 in
	ipcbox) clock "$IPCBOX" pcopy -q -y "$dir/src" "$dir/dst" ;;
	cp) clock_sh "cp $dir/src $dir/dst && sync $dir/dst && dd if=$dir/dst iflag=nocache count=0 status=none && cmp $dir/src $dir/dst" ;;
	esac
}
line_C1() {
	for dir in "$DISK" "$MEM"; do
		large "$dir/src"
		contest C1 1.0 cp ns copy "pcopy --no-sync, $mib MiB, cache warm, $(fs_of "$dir")" cp dd busybox toybox
		rm -f "$dir/dst"
	done
}
on_disk() { dir=$DISK cold=''; large "$dir/src"; sync -f "$dir"; }
line_C2() {
	on_disk
	contest C2 0.3 cp ns durable "pcopy, durable; cp and sync: $mib MiB, cache warm, $(fs_of "$dir")" cp dd dd,direct
}
line_C3() {
	on_disk
	cold=1
	contest C3 0.5 cp ns durable "pcopy, durable; cp and sync: $mib MiB, cache cold, $(fs_of "$dir")" cp
}
line_C4() {
	on_disk
	contest C4 0.5 cp ns verified "pcopy -y; cp, sync, drop, cmp: $mib MiB, $(fs_of "$dir")" cp
}

reflink() {
	rm -f "$dir/dst"
	case $1 in
	ipcbox) clock "$IPCBOX" pcopy -q --no-sync --reflink=always "$dir/src" "$dir/dst" ;;
	cp) clock cp --reflink=always "$dir/src" "$dir/dst" ;;
	esac
}
sparse() {
	afresh
	case $1 in
	ipcbox) clock "$IPCBOX" pcopy -q --no-sync "$dir/sparse" "$dir/dst" ;;
	cp) clock cp "$dir/sparse" "$dir/dst" ;;
	esac && [ "$(du -k "$dir/dst" | cut -f1)" -lt 20480 ]
}
line_C5() {
	for fs in btrfs xfs; do
		dir=$DISK/mnt.$fs
		if ! have mkfs.$fs; then
			echo "C5  reflink on $fs: no mkfs.$fs"
		elif ! mkdir "$dir" || ! truncate -s $((SIZE / 4 + (512 << 20))) "$DISK/$fs.img" ||
			! mkfs.$fs -q "$DISK/$fs.img" >"$MEM/mkfs" 2>&1 || ! mount -o loop "$DISK/$fs.img" "$dir" 2>"$MEM/mkfs"; then
			echo "C5  reflink on $fs: can't mount one here: $(tail -n 1 "$MEM/mkfs")"
		else
			head -c $((SIZE / 4)) /dev/urandom >"$dir/src"
			sync -f "$dir"
			contest C5 1.0 cp ns reflink "reflink of $((mib / 4)) MiB on $fs" cp
			umount "$dir"
		fi
		rm -f "$DISK/$fs.img"
		[ ! -d "$dir" ] || rmdir "$dir"
	done
	dir=$DISK
	truncate -s 10G "$dir/sparse"
	for at in 0 1 2 3 4 5 6 7 8 9; do
		head -c 1M /dev/urandom | dd of="$dir/sparse" bs=1M seek=$((at * 1000)) conv=notrunc iflag=fullblock status=none
	done
	contest C5 1.0 cp ns sparse "10 GiB sparse with 10 MiB of data, $(fs_of "$dir")" cp
	rm -f "$dir/sparse" "$dir/dst"
}

small() {
	case $1 in
	ipcbox) set -- "$IPCBOX" pcopy -q --no-sync "$DISK/small" "$DISK/dst" ;;
	busybox | cp) [ "$1" = cp ] || set -- busybox cp; set -- "$@" "$DISK/small" "$DISK/dst" ;;
	esac
	FRESH=$DISK/dst $pin "$TOOL" time 200 "$@"
}
line_C6() {
	head -c 4096 /dev/urandom >"$DISK/small"
	contest C6 0.8 busybox ns small "pcopy --no-sync of 4 KiB, the whole process, $(fs_of "$DISK")" busybox cp
	rm -f "$DISK/small" "$DISK/dst"
}
