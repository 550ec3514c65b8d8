# copy.sh - the questions C1 to C7: copies. Part of bench.sh.
# shellcheck shell=sh disable=SC2034,SC2317
#
# SPDX-License-Identifier: 0BSD

# afresh removes the copy of the last run, or leaves it as the old file where $over is set, and waits
# until all writes are on the disk.
afresh() {
	if [ ! "$over" ]; then rm -f "$dir/dst"; elif [ ! -f "$dir/dst" ]; then cp "$dir/src" "$dir/dst"; fi
	[ "$dir" = "$MEM" ] || sync -f "$dir"
}
drop() { dd if="$1" iflag=nocache count=0 status=none; }
copy() {
	afresh
	case $1 in
	ipcbox) clock "$IPCBOX" pcopy -q --no-sync "$dir/src" "$dir/dst" ;;
	cp) clock cp "$dir/src" "$dir/dst" ;;
	dd_bs=1M) clock dd bs=1M status=none if="$dir/src" of="$dir/dst" ;;
	busybox_cp | toybox_cp) clock "${1%_cp}" cp "$dir/src" "$dir/dst" ;;
	bare_read-write) clock_sh "$LOOP read-write <$dir/src >$dir/dst" ;;
	esac && same "$dir"
}
durable() {
	afresh
	[ ! "$cold" ] || drop "$dir/src"
	case $1 in
	ipcbox) clock "$IPCBOX" pcopy -q "$dir/src" "$dir/dst" ;;
	cp,_sync) clock_sh "cp $dir/src $dir/dst && sync $dir/dst" ;;
	dd_conv=fsync) clock dd bs=1M conv=fsync status=none if="$dir/src" of="$dir/dst" ;;
	dd_oflag=direct) clock dd bs=1M oflag=direct conv=fsync status=none if="$dir/src" of="$dir/dst" ;;
	bare_write-back) clock_sh "$LOOP write-back <$dir/src >$dir/dst" ;;
	esac && same "$dir"
}
verified() {
	afresh
	case $1 in
	ipcbox) clock "$IPCBOX" pcopy -q -y "$dir/src" "$dir/dst" ;;
	cp,_sync,_cmp) clock_sh "cp $dir/src $dir/dst && sync $dir/dst && dd if=$dir/dst iflag=nocache count=0 status=none && cmp $dir/src $dir/dst" ;;
	esac
}
# place says where the copy goes.
place() { if [ "$over" ]; then echo "over an old file on $(fs_of "$dir")"; else echo "to a new name on $(fs_of "$dir")"; fi; }
line_C1() {
	for dir in "$DISK" "$MEM"; do
		large "$dir/src"
		for over in '' 1; do
			contest C1 copy MB/s "$SIZE" 'pcopy --no-sync' 'How fast is a copy that need not be on the disk yet?' \
				"$mib MiB $(place); the source is in memory" bare_read-write cp dd_bs=1M busybox_cp toybox_cp
			rm -f "$dir/dst"
		done
	done
}
on_disk() { dir=$DISK cold='' over=''; large "$dir/src"; sync -f "$dir"; }
line_C2() {
	on_disk
	for over in '' 1; do
		contest C2 durable MB/s "$SIZE" pcopy 'How fast is a copy that is on the disk when the command ends?' \
			"$mib MiB $(place); the source is in memory" bare_write-back cp,_sync dd_conv=fsync dd_oflag=direct
		rm -f "$dir/dst"
	done
}
line_C3() {
	on_disk
	cold=1
	contest C3 durable MB/s "$SIZE" pcopy 'How fast is the same copy if the source is not in memory?' \
		"$mib MiB $(place)" bare_write-back cp,_sync
}
line_C4() {
	on_disk
	contest C4 verified MB/s "$SIZE" 'pcopy -y' 'How fast is a copy that is read back from the disk and compared?' \
		"$mib MiB $(place); with cp, the cache is dropped before cmp" cp,_sync,_cmp
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
			contest C5 reflink ms 1 'pcopy --reflink=always' 'How long does a reflink take?' \
				"$((mib / 4)) MiB on $fs" cp
			umount "$dir"
		fi
		rm -f "$DISK/$fs.img"
		[ ! -d "$dir" ] || rmdir "$dir"
	done
	dir=$DISK over=''
	truncate -s 10G "$dir/sparse"
	for at in 0 1 2 3 4 5 6 7 8 9; do
		head -c 1M /dev/urandom | dd of="$dir/sparse" bs=1M seek=$((at * 1000)) conv=notrunc iflag=fullblock status=none
	done
	contest C5 sparse ms 1 'pcopy --no-sync' 'How long does the copy of a sparse file take?' \
		"10 GiB with 10 MiB of data, $(fs_of "$dir")" cp
	rm -f "$dir/sparse" "$dir/dst"
}

small() {
	case $1 in
	ipcbox) set -- "$IPCBOX" pcopy -q --no-sync "$DISK/small" "$DISK/dst" ;;
	busybox_cp) set -- busybox cp "$DISK/small" "$DISK/dst" ;;
	cp) set -- cp "$DISK/small" "$DISK/dst" ;;
	esac
	FRESH=$DISK/dst $pin "$TOOL" time 200 "$@"
}
line_C6() {
	head -c 4096 /dev/urandom >"$DISK/small"
	contest C6 small us 1 'pcopy --no-sync' 'How long does the copy of a small file take?' \
		"4 KiB on $(fs_of "$DISK"), the whole process" busybox_cp cp
	rm -f "$DISK/small" "$DISK/dst"
}

several() {
	rm -rf "$DISK/many.dst"
	mkdir "$DISK/many.dst"
	sync -f "$DISK"
	case $1 in
	ipcbox) clock_sh "$IPCBOX pcopy -q $DISK/many/* $DISK/many.dst" ;;
	cp,_sync) clock_sh "cp $DISK/many/* $DISK/many.dst && sync -f $DISK" ;;
	esac
}
line_C7() {
	mkdir "$DISK/many"
	for i in $(seq 1000); do echo "$i"; done | while read -r i; do head -c 4096 "$here/bench.sh" >"$DISK/many/$i"; done
	contest C7 several ms 1 pcopy 'How long do many small files take until they are on the disk?' \
		"1,000 files of 4 KiB into a directory on $(fs_of "$DISK")" cp,_sync
	rm -rf "$DISK/many" "$DISK/many.dst"
}
