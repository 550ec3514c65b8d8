#!/bin/sh
# check.sh IPCBOX ARCHIVE VERSION - try the recipes of packaging/: make check-packaging
#
# Prints TAP. What needs a tool that is not here is skipped by name. QUICK=y leaves out what needs a
# Debian of its own, and the boots: debian.sh.
#
# SPDX-License-Identifier: 0BSD
set -u
packaging=$(cd "${0%/*}" && pwd) box=$1 archive=$2 version=$3
work=$(mktemp -d "${TMPDIR:-/tmp}/ipcbox-packaging.XXXXXX") || exit
trap 'end_debian; rm -rf "$work"' EXIT
trap 'exit 1' INT TERM
cd "$work" || exit
MAKEFLAGS=-j$(nproc)
export MAKEFLAGS
n=0 failed=0
have() { command -v "$1" >/dev/null 2>&1; }
skip() { n=$((n + 1)); echo "ok $n - $1 # SKIP $2"; }
ok() { # NAME CMD...
	name=$1 n=$((n + 1)); shift
	if "$@" >log 2>&1; then echo "ok $n - $name"; else
		echo "not ok $n - $name"; tail -n 12 log | sed 's/^/#   /'; failed=$((failed + 1))
	fi
}
. "$packaging/debian.sh"
files() { [ ! -d "$1" ] || (cd "$1" && find . ! -type d | sort); }

tar -xzf "$archive" || exit
start_debian
source=$work/ipcbox-$version
make -s -C "$source" >/dev/null 2>&1 && make -s -C "$source" DESTDIR="$work/want" prefix=/usr install >/dev/null 2>&1
ok 'the archive is built and installed' test -x want/usr/bin/pipetest

# --- recipes that are shell ------------------------------------------------------------------------
# The functions of a recipe run as its tool would call them: the directory, then the variables.
# run_recipe FILE SHELL DIRECTORY FUNCTION...
run_recipe() {
	file=$1 shell=$2 directory=$3
	shift 3
	rm -rf got && (cd "$directory" && pkgdir=$work/got "$shell" -ec '. "$0"; for f; do (eval "$f"); done' "$file" "$@")
}
cp "$archive" . 2>/dev/null
ok 'the functions of APKBUILD build and install the package' run_recipe "$packaging/alpine/APKBUILD" sh "$source" build package
ok 'APKBUILD brings the files of make install' test "$(files got)" = "$(files want)"
if have bash; then
	ok 'the functions of PKGBUILD build and install the package' run_recipe "$packaging/arch/PKGBUILD" bash "$work" build package
	ok 'PKGBUILD brings the files of make install and the licence' \
		test "$(files got | grep -v /licenses/)" = "$(files want)" -a -f got/usr/share/licenses/ipcbox/LICENSE
else
	skip 'the functions of PKGBUILD build and install the package' 'no bash'
fi
# bitbake would expand ${PN} and the like; D, prefix, bindir and mandir are its words for the tree.
tasks() {
	awk '/^do_[a-z]*\(\)/ { on = 1 } on { print } /^}/ { on = 0 }' "$packaging"/yocto/recipes-core/ipcbox/*.bb
}
yocto() {
	tasks >yocto.tasks
	rm -rf got && (cd "$source" && D=$work/got prefix=/usr bindir=/usr/bin mandir=/usr/share/man IPCBOX_STATIC=$1 sh -ec '
		oe_runmake() { make SKIP_STRIP=y KCONF= "$@"; }
		. "$0"; do_configure; do_compile; do_install' "$work/yocto.tasks")
}
ok 'the tasks of the Yocto recipe build and install a static box' yocto y
ok 'the Yocto recipe brings the files of make install' test "$(files got)" = "$(files want)"
ok 'the tasks of the Yocto recipe turn CONFIG_STATIC off' \
	sh -c "cd '$source' && sed -i 's/^CONFIG_STATIC=y/# CONFIG_STATIC is not set/' .config && make -s KCONF= olddefconfig && grep -q '# CONFIG_STATIC is not set' .config; rc=\$?; make -s KCONF= defconfig; exit \$rc"

# --- rpm -----------------------------------------------------------------------------------------------
if have rpmbuild; then
	ok 'rpmbuild makes the package' rpmbuild --define "_topdir $work/rpm" --define "_sourcedir $work" --nodeps --nocheck \
		-bb "$packaging/rpm/ipcbox.spec"
	rpm -qlp rpm/RPMS/*/*.rpm 2>/dev/null | grep -v '/doc/\|/licenses/' | while read -r f; do [ -d "want/$f" ] || echo ".$f"; done | sort >got.rpm
	ok 'the RPM has the files of make install' test "$(cat got.rpm)" = "$(files want)"
	if have rpmlint; then
		ok 'rpmlint finds no error in the spec' sh -c "! rpmlint '$packaging/rpm/ipcbox.spec' 2>&1 | grep ' E: '"
	else
		skip 'rpmlint finds no error in the spec' 'no rpmlint'
	fi
else
	skip 'rpmbuild makes the package' 'no rpmbuild'
fi

# --- recipes that are makefiles -----------------------------------------------------------------------
# A model of the tree around them prints what the recipe would run.
cat >buildroot.mk <<'END'
qstrip = $(strip $(subst ",,$(1)))
KCONFIG_ENABLE_OPT = sed -i 's/.*$(1)[= ].*/$(1)=y/' $(@D)/.config
KCONFIG_DISABLE_OPT = sed -i 's/.*$(1)[= ].*/\# $(1) is not set/' $(@D)/.config
kconfig-package =
include $(RECIPE)
$(SOURCE)/model:
	$(MAKE) -s -C $(SOURCE) $(IPCBOX_KCONFIG_OPTS) $(IPCBOX_KCONFIG_DEFCONFIG)
	$(IPCBOX_KCONFIG_FIXUP_CMDS)
	$(MAKE) -s -C $(SOURCE) $(IPCBOX_KCONFIG_OPTS) olddefconfig
	$(IPCBOX_BUILD_CMDS)
	$(IPCBOX_INSTALL_TARGET_CMDS)
END
buildroot() {
	rm -rf got
	make -f buildroot.mk RECIPE="$packaging/buildroot/package/ipcbox/ipcbox.mk" SOURCE="$source" TARGET_DIR="$work/got" \
		BR2_STATIC_LIBS=y TARGET_MAKE_ENV= TARGET_CONFIGURE_OPTS='CC=musl-gcc' "$source/model"
}
ok 'the words of the Buildroot recipe build and install the box' buildroot
ok 'the Buildroot recipe brings the files of make install' test "$(files got)" = "$(files want)"
mkdir -p openwrt && : >openwrt/rules.mk
cat >openwrt/package.mk <<'END'
BuildPackage =
INSTALL_DIR = mkdir -p
INSTALL_BIN = cp
LN = ln -sf
SED = sed -i
PKG_BUILD_DIR = $(SOURCE)
END
cat >openwrt/model.mk <<'END'
include $(RECIPE)
model:
	$(Build/Configure)
	$(Build/Compile)
	$(call Package/ipcbox/install,$(GOT))
END
openwrt() {
	rm -rf got
	make -f openwrt/model.mk RECIPE="$packaging/openwrt/ipcbox/Makefile" TOPDIR="$work/openwrt" INCLUDE_DIR="$work/openwrt" \
		SOURCE="$source" GOT="$work/got" TARGET_CONFIGURE_OPTS='CC=cc' TARGET_CFLAGS=-Os TARGET_LDFLAGS= model
}
ok 'the words of the OpenWrt recipe build and install a shared box' openwrt
ok 'the OpenWrt recipe brings the box and its seven names' test "$(files got)" = "$(files want | grep '^./usr/bin/')"
make -s -C "$source" KCONF= defconfig >/dev/null 2>&1

# --- gen_init_cpio ----------------------------------------------------------------------------------------
for name in $("$box" --list); do
	ok "ipcbox.cpio_list has $name" grep -q "^slink /usr/bin/$name ipcbox 0777 0 0$" "$packaging/ipcbox.cpio_list"
done

check_debian
echo "1..$n"
[ $failed = 0 ]
