#!/bin/sh
# make dist and make release give the same bytes from each path, with the date that SOURCE_DATE_EPOCH
# gives.
LIMIT=1200
. "${0%/*}/../tap.sh"
. "$room/tree.sh"

arch=$(uname -m | sed 's/x86_64/amd64/; s/aarch64/arm64/')
version=$(sed -n 's/^VERSION := //p' tree/Makefile)
mkdir 'another place' && cp -R tree 'another place/a tree'
# sums DIR: the sum of each file in it, by name
sums() { (cd "$1" && find . -type f -exec sha256sum {} + | LC_ALL=C sort -k 2); }

run make -s -C tree dist SOURCE_DATE_EPOCH=1700000000
is 'make dist succeeds' '0 ' "$rc $err"
run make -s -C 'another place/a tree' dist SOURCE_DATE_EPOCH=1700000000
ok 'make dist gives the same bytes from another path' cmp "tree/obj/ipcbox-$version.tar.gz" "another place/a tree/obj/ipcbox-$version.tar.gz"
cp "tree/obj/ipcbox-$version.tar.gz" first.tar.gz
run make -s -C tree dist SOURCE_DATE_EPOCH=1700000000
ok 'make dist gives the same bytes a second time' cmp first.tar.gz "tree/obj/ipcbox-$version.tar.gz"
like 'each file of the archive has the date of SOURCE_DATE_EPOCH' '2023-11-14 22:13' \
	"$(TZ=UTC tar tvf first.tar.gz | awk '{ print $4, $5 }' | sort -u)"
is 'everything in the archive is in one folder with the version' "ipcbox-$version" \
	"$(tar tf first.tar.gz | cut -d/ -f1 | sort -u)"
tar xf first.tar.gz
run make -s -C "ipcbox-$version" dist SOURCE_DATE_EPOCH=1700000000
ok 'make dist out of the archive gives the archive' cmp first.tar.gz "ipcbox-$version/obj/ipcbox-$version.tar.gz"

if ! awk -v arch="$arch" '$1 == "arch" && $2 == arch { found = 1 } END { exit !found }' tree/qemu/targets; then
	skip 'make release succeeds' "qemu/targets has no $arch"
	exit
fi
# make check-long gives all architectures of qemu/targets.
: "${ARCHES:=$arch}"
run make -s -j2 -C tree release ARCHES="$ARCHES" SOURCE_DATE_EPOCH=1700000000
is 'make release succeeds' 0 "$rc"
[ "$rc" = 0 ] || say "$err"
run make -s -j2 -C "ipcbox-$version" release ARCHES="$ARCHES" SOURCE_DATE_EPOCH=1700000000
is 'make release out of the archive succeeds' 0 "$rc"
sums tree/obj/release >one
sums "ipcbox-$version/obj/release" >two
is 'make release gives the same bytes from two paths' "$(cat one)" "$(cat two)"
like 'make release makes a binary with the version and the architecture in its name' '*statically linked*, stripped' \
	"$(file "tree/obj/release/ipcbox-$version-$arch")"
is 'the binary of make release is of this version' "ipcbox $version" "$("tree/obj/release/ipcbox-$version-$arch" --version)"
ok 'SHA256SUMS of make release is right' sh -c 'cd tree/obj/release && sha256sum -c --strict SHA256SUMS'
for a in $ARCHES; do
	ok "make release has the binary for $a" test -s "tree/obj/release/ipcbox-$version-$a"
done
is 'SHA256SUMS names each file of make release but itself' "$(cd tree/obj/release && find . -type f ! -name SHA256SUMS | sed 's|^\./||' | LC_ALL=C sort)" \
	"$(awk '{ print $2 }' tree/obj/release/SHA256SUMS | LC_ALL=C sort)"
like 'NOTICE names the architecture, and has the notice of the musl in its binary' \
	"*=== musl in the binaries for *$arch*Copyright*Rich Felker*" "$(cat tree/obj/release/NOTICE)"
ok 'make release has the man pages' test -s tree/obj/release/ipcbox.1
like 'the man pages have the date of SOURCE_DATE_EPOCH' '*2023-11-14*' "$(head -n 5 tree/obj/release/ipcbox.1)"
