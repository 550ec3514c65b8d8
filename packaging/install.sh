#!/bin/sh
# install.sh install|install-noclobber|uninstall - what these targets of make do.
#
# The Makefile sets: box and obj (what was built), root (DESTDIR or CONFIG_PREFIX), bindir, mandir,
# bashdir, zshdir, fishdir (below root), kind (of links), names (that are switched on), all_names
# (that are in the source) and formats (the pages of section 5 in the source). Each file appears
# whole or not at all: a temporary name, then mv.
set -eu
umask 022
action=$1

case $kind in symlinks | hardlinks | scripts | none) ;; *)
	echo "CONFIG_INSTALL is '$kind': symlinks, hardlinks, scripts or none" >&2
	exit 1 ;;
esac

# make_file SOURCE NEW, and so on: make NEW in the current directory
make_file() { cp "$1" "$2" && chmod 644 "$2"; }
make_program() { cp "$1" "$2" && chmod 755 "$2"; }
make_symlink() { ln -s "$1" "$2"; }
make_hardlink() { ln "$1" "$2"; }
make_script() { printf '#!/bin/sh\nexec "${0%%/*}/ipcbox" %s "$@"\n' "$1" >"$2" && chmod 755 "$2"; }

# put DIR NAME HOW SOURCE: how many were put is in $count, how many were kept in $kept. What an
# interrupted run has left goes first; mv leaves a second link to the same file where it is.
count=0 kept=0 new=
trap 'rm -f "$new"' EXIT
put() {
	mkdir -p "$root$1" && cd "$root$1"
	if [ "$action" = install-noclobber ] && { [ -e "$2" ] || [ -L "$2" ]; }; then
		kept=$((kept + 1))
	else
		new=.$2.new
		rm -f "$new"
		"make_$3" "$4" "$new"
		mv -fT "$new" "$2"
		rm -f "$new"
		count=$((count + 1))
	fi
	cd "$here"
}

# take DIR NAME [SOURCE]: remove the file if it is ours, which it says itself or SOURCE does;
# another package may have one of that name
take() {
	[ -d "$root$1" ] || return 0
	cd "$root$1"
	case $(readlink "$2" || :) in
	ipcbox | ipcbox.fish) rm -f "$2" ;;
	*) if [ -f "$2" ] && { grep -q ipcbox "$2" || cmp -s "$2" "${3-}"; }; then rm -f "$2"; fi ;;
	esac
	cd "$here"
}

# prune DIR...: remove the directories that are empty now, below root only
prune() {
	[ -n "$root" ] && [ -d "$root" ] || return 0
	cd "$root"
	for dir; do
		dir=.$dir
		while [ "$dir" != . ] && { [ ! -d "$dir" ] || rmdir "$dir" 2>/dev/null; }; do dir=${dir%/*}; done
	done
	cd "$here"
}

here=$PWD
case $root in /* | '') ;; *) root=$here/$root ;; esac
case $obj in /*) ;; *) obj=$here/$obj box=$here/$box ;; esac
pages=$(cd "$obj/man" && ls)

if [ "$action" = uninstall ]; then
	for name in $all_names ipcbox; do
		take "$bindir" "$name"
		take "$bashdir" "$name"
		take "$fishdir" "$name.fish"
		take "$mandir/man1" "$name.1"
	done
	for page in $formats; do take "$mandir/man5" "${page##*/}" "$here/$page"; done
	take "$zshdir" _ipcbox
	take "$sharedir" schemas.json
	prune "$bindir" "$bashdir" "$fishdir" "$zshdir" "$sharedir" "$mandir/man1" "$mandir/man5"
	exit
fi

put "$bindir" ipcbox program "$box"
for name in $names; do
	case $kind in
	symlinks | hardlinks) put "$bindir" "$name" "${kind%s}" ipcbox ;;
	scripts) put "$bindir" "$name" script "$name" ;;
	none) break ;;
	esac
	put "$bashdir" "$name" symlink ipcbox
	put "$fishdir" "$name.fish" symlink ipcbox.fish
done
for page in $pages; do put "$mandir/man${page##*.}" "$page" file "$obj/man/$page"; done
put "$bashdir" ipcbox file "$obj/completion/ipcbox.bash"
put "$fishdir" ipcbox.fish file "$obj/completion/ipcbox.fish"
put "$zshdir" _ipcbox file "$obj/completion/_ipcbox"
put "$sharedir" schemas.json file "$here/configs/schemas.json"
[ -n "${quiet-}" ] || echo "  INSTALL ipcbox, its links ($kind), man pages, completions and JSON schemas: $count files in $root$bindir," \
	"$root$mandir and beside; $kept that were there are kept"
