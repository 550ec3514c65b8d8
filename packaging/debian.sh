# debian.sh - the Debian package as its users have it; check.sh reads this in
# shellcheck shell=sh disable=SC2154 # check.sh sets packaging, work, source and n
#
# mmdebstrap makes a Debian of its own, below $work: the package is tested, put into the images of
# initramfs-tools and dracut, and removed there. Nothing of this machine changes.
#
# SPDX-License-Identifier: 0BSD

# lacks prints what is missing for a Debian of its own
lacks() {
	[ "$(id -u)" = 0 ] || { echo 'needs root'; return; }
	for tool in mmdebstrap dpkg-buildpackage dh musl-gcc lintian autopkgtest; do
		have $tool || { echo "no $tool: make deps check-packaging"; return; }
	done
	unshare -m true 2>/dev/null || echo 'no mount namespace'
}

# The Debian is made while the recipes are tried: it waits for the network more than it computes.
root=$work/root missing=${QUICK:+QUICK} maker=
start_debian() {
	missing=${missing:-$(lacks)}
	[ -z "$missing" ] || return
	mmdebstrap --mode=root --variant=apt --include=apt-utils,cpio,dracut-core,initramfs-tools-core,mount "${SUITE:-bookworm}" "$root" ${MIRROR-} >root.log 2>&1 &
	maker=$!
}
end_debian() { [ -z "$maker" ] || kill "$maker" 2>/dev/null; }

# inside CMD... runs CMD in a mount namespace where $root has /proc and /dev
inside() {
	unshare -m sh -ec 'root=$1; shift
		mount -t proc proc "$root/proc" && mount --rbind /dev "$root/dev"
		exec "$@"' inside "$root" "$@"
}
traces() { find "$root" -xdev \( -name '*ipcbox*' -o -lname '*ipcbox*' \) ! -path '*/root/images/*' | sort; }
build_package() {
	mkdir package && tar -xzf "$archive" -C package || return
	cp -R "$packaging/debian" "package/ipcbox-$version/debian"
	(cd "package/ipcbox-$version" && DEB_BUILD_OPTIONS="nocheck parallel=$(nproc)" dpkg-buildpackage -b -us -uc)
}
lintian_is_silent() {
	lintian --allow-root package/*.changes >lintian.log 2>&1
	set -- $?
	cat lintian.log
	[ "$1" = 0 ] && [ ! -s lintian.log ]
}
autopkgtest_passes() { inside autopkgtest -B -q package/*.deb "package/ipcbox-$version/" -- chroot "$root"; }
initramfs_tools() {
	printf 'MODULES=list\nCOMPRESS=gzip\n' >"$root/etc/initramfs-tools/conf.d/test"
	echo CONFIG_RD_GZIP=y >"$root/boot/config-6.1.0-none"
	inside chroot "$root" mkinitramfs -o /root/images/initramfs.gz 6.1.0-none
}
dracut_image() {
	inside chroot "$root" dracut --no-kernel --no-hostonly --force --gzip --modules 'base ipcbox' /root/images/dracut.gz 6.1.0-none
}
removed() { chroot "$root" dpkg --purge ipcbox && traces && test -z "$(traces)"; }

boot() {
	timeout 150 qemu-system-x86_64 -M q35 -cpu max,-cx16 -m 512 -nodefaults -display none -serial stdio -no-reboot \
		-kernel "$kernel" -initrd "$1" -append 'console=ttyS0 quiet panic=-1 no_timer_check ipcbox.run=pipetest,-t,tut.p1.*;pipecap' \
		</dev/null 2>&1 | tr -d '\r' >console
}
ran_there() {
	boot "$root/root/images/$1"
	cat console
	grep -q '^# Totals: pass:[1-9][0-9]* fail:0 ' console && grep -q '^size=' console && grep -q '^# ipcbox end rc=0' console &&
		grep -q 'Power down' console
}
boots() {
	name="an initramfs of $1 with the installed package boots, runs pipetest and powers off"
	if [ -n "$kernel" ]; then ok "$name" ran_there "$2"; else skip "$name" 'needs x86_64, qemu-system-x86 and a kernel'; fi
}

check_debian() {
	if [ -n "$missing" ]; then
		skip 'the Debian package is built, tested, booted and removed in a Debian of its own' "$missing"
		return
	fi
	ok 'dpkg-buildpackage makes the Debian package' build_package
	ok 'lintian is silent about the Debian package' lintian_is_silent
	wait "$maker" || { ok 'mmdebstrap makes a Debian' sh -c 'tail -n 12 root.log; false'; return; }
	maker=
	ok 'autopkgtest installs the package, and pipetest --strict and make test pass' autopkgtest_passes
	mkdir -p "$root/root/images"
	ok 'mkinitramfs runs the hook of the package' initramfs_tools
	ok 'dracut takes the module of the package' dracut_image
	kernel=
	if [ "$(uname -m)" = x86_64 ] && have qemu-system-x86_64 &&
		dir=$("$packaging/../qemu/fetch.sh" bookworm amd64 linux-image-cloud-amd64 './boot/vmlinu*'); then
		kernel=$(find "$dir" -name 'vmlinuz*' | head -n 1)
	fi
	boots initramfs-tools initramfs.gz
	boots dracut dracut.gz
	ok 'the package leaves nothing behind when it is removed' removed
}
