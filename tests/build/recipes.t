#!/bin/sh
# The recipes of packaging/ agree with the Makefile, the applets and each other.
. "${0%/*}/../tap.sh"
cd "$top" || exit

version=$(sed -n 's/^VERSION := //p' Makefile)
applets=$(grep -rl '^config ' applets | xargs grep -l '^	default y' | sed 's|.*/||; s|\.c$||' | sort | tr '\n' ' ')
recipe() { is "the recipe of $1 has the version of the Makefile" "$version" "$2"; }
recipe Debian "$(sed -n '1s/ipcbox (\(.*\)) .*/\1/p' packaging/debian/changelog)"
recipe Alpine "$(sed -n 's/^pkgver=//p' packaging/alpine/APKBUILD)"
recipe Arch "$(sed -n 's/^pkgver=//p' packaging/arch/PKGBUILD)"
recipe RPM "$(sed -n 's/^Version: *//p' packaging/rpm/ipcbox.spec)"
recipe OpenWrt "$(sed -n 's/^PKG_VERSION:=//p' packaging/openwrt/ipcbox/Makefile)"
recipe Buildroot "$(sed -n 's/^IPCBOX_VERSION = //p' packaging/buildroot/package/ipcbox/ipcbox.mk)"
recipe Yocto "$(cd packaging/yocto/recipes-core/ipcbox && echo ipcbox_*.bb | sed 's/ipcbox_\(.*\)\.bb/\1/')"
is 'the changelog of the RPM ends with its version' "$version-1" "$(sed -n 's/^\* .* - //p' packaging/rpm/ipcbox.spec | head -n 1)"

is 'the recipe of Yocto has the sum of LICENSE' "$(md5sum <LICENSE | cut -d' ' -f1)" \
	"$(sed -n 's/.*LICENSE;md5=\([0-9a-f]*\)"/\1/p' packaging/yocto/recipes-core/ipcbox/*.bb)"
is 'the recipe of Buildroot has the sum of LICENSE' "$(sha256sum <LICENSE | cut -d' ' -f1)" \
	"$(sed -n 's/^sha256  \(.*\)  LICENSE$/\1/p' packaging/buildroot/package/ipcbox/ipcbox.hash)"
is 'ipcbox.cpio_list links the names that are on by default' "$applets" \
	"$(sed -n 's|^slink /usr/bin/\([a-z]*\) ipcbox .*|\1|p' packaging/ipcbox.cpio_list | sort | tr '\n' ' ')"
is 'the recipe of OpenWrt links the names that are on by default' "$applets" \
	"$(sed -n 's/.*foreach name,\([a-z ]*\),.*/\1/p' packaging/openwrt/ipcbox/Makefile | tr ' ' '\n' | sort | tr '\n' ' ')"
is 'packaging/README has a line for each recipe' '' "$(for f in packaging/*; do
	case ${f##*/} in *.sh | README) ;; *) grep -qE "(^|, )${f##*/}[/ ]" packaging/README || echo "$f" ;; esac; done)"

# A fragment changes the configuration as a user would write it.
for fragment in packaging/fragments/*.config; do
	words=$(grep -v '^# [a-z]' "$fragment")
	cat configs/defconfig "$fragment" >"$T/config"
	# shellcheck disable=SC2046 # names without spaces, in the order of the Makefile
	configs/gen.sh kconfig $(grep -rl '^config ' applets | awk -F/ '{ print $NF, $0 }' | LC_ALL=C sort | cut -d' ' -f2) >"$T/Config.applets"
	configs/gen.sh config "$T/config" Config.in "$T/Config.applets" >"$T/settled"
	is "the fragment ${fragment##*/} changes the configuration" "$words" "$(grep -xF "$words" "$T/settled")"
done
