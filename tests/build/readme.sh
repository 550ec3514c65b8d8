#!/bin/sh
# readme.sh - make check-readme: the commands of README in a fresh Debian, as root and with a network:
# debootstrap makes it, "make" is installed by hand as README says, the rest is README's.
# SUITE (bookworm) and MIRROR (that of this machine) choose another.
set -eu
cd "${0%/*}/../.."
[ "$(id -u)" = 0 ] || { echo 'make check-readme needs root, for debootstrap' >&2; exit 77; }
command -v debootstrap >/dev/null || { echo 'make check-readme needs debootstrap' >&2; exit 77; }
new=$(mktemp -d "${TMPDIR:-/tmp}/ipcbox-readme.XXXXXX")
end() { umount -R "$new/proc" "$new/dev" 2>/dev/null || :; mountpoint -q "$new/dev" || rm -rf "$new"; }
trap end EXIT
chmod 755 "$new" # The tests that run as nobody enter it.
trap 'exit 1' INT TERM
echo "debootstrap: the log is obj/readme.log"
mkdir -p obj
debootstrap --variant=minbase --include=make "${SUITE:-bookworm}" "$new" ${MIRROR-} >obj/readme.log 2>&1
for file in /etc/apt/apt.conf.d/*proxy* /etc/resolv.conf /etc/hosts; do [ ! -f "$file" ] || cp "$file" "$new$file"; done
mount -t proc proc "$new/proc"
mount --rbind --make-rslave /dev "$new/dev"
make -s dist
tar xf obj/ipcbox-*.tar.gz -C "$new"
# The commands of README, in their order: the lines that are indented by four spaces and begin with a
# word of the list or with "$ ". What takes long, a terminal or an emulator is named and left out.
sed -nE 's/^    (\$ )?((make|mkdir|mkfifo|printf|fifor|mmap[rw]|pcopy|pipecap|pipetest|truncate|\.\/ipcbox) .*)/\2/p; s/^    \$ //p' README |
	awk '!/^(pcopy; |pcopy --sync=|pcopy -u  |mmapw --persist|pipecap  *looks|pcopy  *puts|pipetest  *proves)/' >"$new/commands"
echo "$(wc -l <"$new/commands") commands of README, in $new"
# shellcheck disable=SC2016 # the shell in the new root expands it
chroot "$new" env -i ${http_proxy:+"http_proxy=$http_proxy"} PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root sh -c '
cd /ipcbox-* || exit
while IFS= read -r line <&3; do
	case $line in
	*check* | *qemu* | *coverage* | *bench* | *menuconfig*) echo "\$ (not here) $line"; continue ;;
	esac
	echo "\$ $line"
	eval "$line" </dev/null || { echo "failed with $?: $line"; exit 1; }
done 3</commands
echo "README: every command succeeded"' >>obj/readme.log 2>&1 || { tail -n 20 obj/readme.log; exit 1; }
grep '^\$ ' obj/readme.log
tail -n 1 obj/readme.log
