SUMMARY = "Pipes, FIFOs, shared records and whole copies in one binary"
HOMEPAGE = "https://ipcbox.invalid/ipcbox"
LICENSE = "0BSD"
LIC_FILES_CHKSUM = "file://LICENSE;md5=9edb6b46b9fe118f60660ebfa8a68c9c"
# The archive of "make dist" and its sum stand in the layer's mirror or beside this file.
SRC_URI = "file://ipcbox-${PV}.tar.gz file://run-ptest"

inherit cml1 ptest

# The layer's own libc is linked as a shared one, with the flags of the distribution. A static binary
# needs static libraries: IPCBOX_STATIC = "y" where the libc has them.
IPCBOX_STATIC ?= "n"
EXTRA_OEMAKE = "CC='${CC}' AR='${AR}' STRIP='${STRIP}' SKIP_STRIP=y KCONF= V=1"
# Time is 64 bits wide on 32-bit machines too where the libc can: musl always, glibc with these.
CPPFLAGS:append:libc-glibc = " -D_TIME_BITS=64"

do_configure() {
	oe_runmake defconfig
	if [ "${IPCBOX_STATIC}" = n ]; then
		sed -i '/CONFIG_STATIC[= ]/d' .config
		echo '# CONFIG_STATIC is not set' >>.config
		oe_runmake olddefconfig
	fi
}

do_compile() {
	oe_runmake
}

do_install() {
	oe_runmake DESTDIR=${D} prefix=${prefix} bindir=${bindir} mandir=${mandir} install
}

FILES:${PN} += "${datadir}/bash-completion ${datadir}/zsh ${datadir}/fish"
RDEPENDS:${PN}-ptest += "${PN}"
