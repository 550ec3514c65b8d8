# tree.sh - a copy of the source in ./tree, and make as users call it, without a trace of the
# make, the package build or the shell that runs the tests
# shellcheck shell=sh
unset MAKEFLAGS MAKELEVEL MFLAGS IPCBOX CC AR STRIP NM CROSS_COMPILE CFLAGS CPPFLAGS LDFLAGS V O \
	VERSION KCONF MCONF SKIP_STRIP DESTDIR prefix bindir mandir CONFIG_PREFIX SOURCE_DATE_EPOCH ARCH

# copy_tree NAME: as shipped; nothing in configs/ can be written to, as in a tree that nobody
# shall change: no file may be copied with that mode
copy_tree() {
	mkdir "$1" && (cd "$top" && tar cf - --exclude=.git --exclude=./obj --exclude=./ipcbox --exclude=./.config \
		--exclude=./_install .) | tar xf - -C "$1" && chmod a-w "$1"/configs/*
}
# build ARG...: make in silence; what it prints is in $T/log
build() { make -s -j2 "$@" >"$T/log" 2>&1; }
missing() { ! command -v "$1" >/dev/null 2>&1; }

copy_tree tree
