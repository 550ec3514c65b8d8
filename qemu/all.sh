#!/bin/sh
# all.sh JOBS - run pipetest on this machine, in gVisor, in a sandbox, under qemu-user and on all
# boards; then table.sh prints and writes the results
#
# TARGETS='amd64 arm64-user' names the targets to run; TIER=1 leaves out the boards of tier 2.
#
# SPDX-License-Identifier: 0BSD
. "${0%/*}/lib.sh"
set -u
: "${OUT:=obj}" "${MAKE:=make}" "${TIER:=2}"
jobs=$1
unset MAKEFLAGS MFLAGS MAKELEVEL
mkdir -p "$OUT/qemu"
rm -f "$OUT"/qemu/*.result "$OUT"/qemu/*.log

everything() {
	echo native
	{ lines board; lines here; } | awk -v tier="$TIER" '$2 <= tier { print $1 }'
	names tests | sed 's/$/-tests/'
	names arch | sed '/^amd64$/d; s/$/-user/'
}
targets=${TARGETS:-$(everything)}

# Builds come first, one after the other: each uses all processors. Each image is built twice
# and compared.
build() {
	images='initramfs cpio'
	! printf '%s\n' $targets | grep -q "^$1\(-.*\)\{0,1\}-tests$" || images="$images tests-image"
	"$MAKE" -s -j"$jobs" O="$(dirname "$OUT")" ARCH="$1" IMAGES="$images" twice
}
# arch_of TARGET prints its architecture: that of its name, or of this machine
arch_of() {
	case $1 in native | gvisor* | sandbox) dpkg --print-architecture ;; *) echo "${1%%-*}" ;; esac
}
for arch in $(for t in $targets; do arch_of "$t"; done | sort -u); do
	build "$arch" >"$OUT/qemu/$arch.build" 2>&1 || {
		echo "$arch: FAIL: it does not build:" >&2
		tail -n 20 "$OUT/qemu/$arch.build" >&2
		for t in $targets; do
			[ "$(arch_of "$t")" != "$arch" ] || verdict "$t" FAIL no-build
		done
	}
done

export OUT
one='t=$1; [ ! -e "$OUT/qemu/$t.result" ] || exit 0
	case $t in
	native | gvisor* | sandbox | *-user) exec "$0/user.sh" "$t" ;;
	*) exec "$0/boot.sh" "$t" ;;
	esac'
# The slow targets run first, so that no processor waits at the end.
printf '%s\n' $targets | awk '/^gvisor|-tests$|-uml$|ppc64el$|-16k$|^arm/ { print; next } { rest = rest $0 "\n" } END { printf "%s", rest }' |
	xargs -P "$jobs" -n 1 sh -c "$one" "$here" >/dev/null

"$here/table.sh" $targets
