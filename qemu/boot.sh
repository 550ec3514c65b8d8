#!/bin/sh
# boot.sh BOARD[-tests] [KERNEL] - boot a board with its initramfs and judge what it prints
#
# BOARD-tests boots the image that runs tests/*/*.t. KERNEL is the second half of the board's name
# in the table, or a kernel image. The archives are those of $OUT/ARCH; the log is
# $OUT/qemu/NAME.log, the verdict NAME.result. Environment: IPCBOX_QEMU (the program),
# IPCBOX_QEMU_APPEND (its options), IPCBOX_APPEND (the kernel's command line), IPCBOX_TIMEOUT
# (seconds in all), IPCBOX_SILENCE (seconds without output), IPCBOX_TIMEOUT_SCALE, ACCEL=kvm,
# INITRAMFS, FOLLOW=y (show the log as it grows).
#
# SPDX-License-Identifier: 0BSD
. "${0%/*}/lib.sh"
set -eu
: "${OUT:=obj}"
tests='' archive=initramfs limit=240
case $1 in *-tests) tests=-tests archive=tests limit=600 ;; esac
image=${2-}
case $image in
*/* | *vmlinu* | *Image*) [ -f "$image" ] || die "no kernel '$image'"; set_board "${1%-tests}" ;;
*) set_board "${1%-tests}${2:+-$2}"; image= ;;
esac
mkdir -p "$OUT/qemu"
name=$board$tests
log=$OUT/qemu/$name.log
: "${INITRAMFS:=$OUT/$arch/$archive.cpio.gz}"
: "${IPCBOX_QEMU:=qemu-system-$system}" "${IPCBOX_TIMEOUT_SCALE:=1}"
: "${IPCBOX_TIMEOUT:=$((limit * IPCBOX_TIMEOUT_SCALE))}"
: "${IPCBOX_SILENCE:=$((110 * IPCBOX_TIMEOUT_SCALE))}" # a case may print nothing for that long

if [ "$system" = uml ]; then
	[ "$arch" = "$(dpkg --print-architecture)" ] || skipped "$name" "needs-$arch" "it runs on $arch only"
elif ! command -v "$IPCBOX_QEMU" >/dev/null; then
	verdict "$name" FAIL "no-$IPCBOX_QEMU"
	die "no $IPCBOX_QEMU: make deps qemu ARCH=$arch"
fi

# Fetch the kernel, and the files of its package that the options name.
set -f
patterns=$(printf '%s\n' $options | sed -n 's/^@/*\//p')
if [ -z "$image" ] || [ -n "$patterns" ]; then
	if ! dir=$("$here/fetch.sh" "$suite" "$arch" "$kernel" './boot/vmlinu*' './usr/lib/modules/*/vmlinuz' \
		./usr/bin/linux.uml $patterns); then
		[ "$tier" = 2 ] || { verdict "$name" FAIL no-kernel; die "$suite has no $kernel"; }
		skipped "$name" no-kernel "$suite has no $kernel that can be fetched"
	fi
	: "${image:=$(find "$dir" -name 'vmlinu[xz]*' -o -name linux.uml | head -n 1)}"
fi
# After the cases the board measures its data sheet. Of several ipcbox.run= the last one counts.
append="console=$console quiet panic=-1 $([ "$tests" ] || echo 'ipcbox.run=pipetest;pipetest,-b=sheet,-D,3s') ${IPCBOX_APPEND-}"
set --
for word in $options; do
	case $word in
	@*) set -- "$@" "$(find "$dir" -name "${word#@}")" ;;
	+*) append="$append ${word#+}" ;;
	*) set -- "$@" "$word" ;;
	esac
done
if [ "$system" = uml ]; then
	# shellcheck disable=SC2086 # words
	set -- "$image" "mem=${memory}M" "initrd=$INITRAMFS" "uml_dir=$OUT/qemu/uml" "$@" $append
else
	accel=tcg
	[ "${ACCEL-}" != kvm ] || accel=kvm
	# shellcheck disable=SC2086 # words
	set -- "$IPCBOX_QEMU" -accel "$accel" "$@" -smp "$cpus" -m "$memory" -nodefaults -display none \
		-serial stdio -monitor none -no-reboot -kernel "$image" -initrd "$INITRAMFS" -append "$append" \
		${IPCBOX_QEMU_APPEND-}
fi

# Wait until the guest's init has said that it is done, and end the guest: some machines cannot
# power themselves off.
: >"$log"
start=$(date +%s)
timeout -k 5 "$IPCBOX_TIMEOUT" "$@" </dev/null >>"$log" 2>&1 &
pid=$!
trap 'kill $pid 2>/dev/null' EXIT
# FOLLOW: what the board prints is shown as it comes.
if [ -n "${FOLLOW-}" ]; then
	echo "$name: the log is $log"
	tail -n +1 -f --pid=$pid "$log" &
	shown=$!
fi
trap 'exit 1' INT TERM
ended=0 quiet=0 before=
while kill -0 $pid 2>/dev/null && [ $ended -lt 3 ]; do
	sleep 1
	size=$(wc -c <"$log")
	quiet=$((quiet + 1))
	[ "$size" = "$before" ] || quiet=0
	before=$size
	if [ $quiet -ge "$IPCBOX_SILENCE" ]; then echo "# nothing for $quiet s" >>"$log"; break; fi
	! grep -q '^# ipcbox end' "$log" || ended=$((ended + 1))
done
kill $pid 2>/dev/null || :
wait $pid || :
[ -z "${FOLLOW-}" ] || wait $shown || :
trap - EXIT
judge "$name" $(($(date +%s) - start)) "$log" guest
