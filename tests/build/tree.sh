# tree.sh - copy the source, and call make as users do: no variable of the make, the package build or
# the shell that runs the tests is left
# shellcheck shell=sh
unset MAKEFLAGS MAKELEVEL MFLAGS IPCBOX CC AR STRIP NM CROSS_COMPILE CFLAGS CPPFLAGS LDFLAGS V O \
	VERSION KCONF MCONF SKIP_STRIP DESTDIR prefix bindir mandir CONFIG_PREFIX SOURCE_DATE_EPOCH ARCH

# copy_tree NAME - copy the source as it is shipped. The files in configs/ are read-only, as in a tree
# that nobody shall change: the build may not copy that mode.
copy_tree() {
	mkdir "$1" && (cd "$top" && tar cf - --exclude=.git --exclude=./obj --exclude=./ipcbox --exclude=./.config \
		--exclude=./_install .) | tar xf - -C "$1" && chmod a-w "$1"/configs/*
}
# build ARG... - run make -s; $T/log has what it prints
build() { make -s -j2 "$@" >"$T/log" 2>&1; }
missing() { ! command -v "$1" >/dev/null 2>&1; }

copy_tree tree
