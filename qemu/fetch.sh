#!/bin/sh
# fetch.sh SUITE ARCH PACKAGE [MEMBER...] - fetch and unpack a Debian package; print its directory
#
# PACKAGE may be a metapackage of a kernel; SUITE ARCH source PACKAGE is a source package.
# MEMBER patterns say which files to keep. apt's own client fetches, checks the signatures and uses
# the machine's proxy, but with lists and sources of the cache: nothing of the machine changes.
# fetch.sh asks the archive once a day; the cache keeps each version of a package.
#
# SPDX-License-Identifier: 0BSD
. "${0%/*}/lib.sh"
set -eu
suite=$1 arch=$2 package=$3
shift 3
source=
if [ "$package" = source ]; then source=y package=$1; shift; fi
link=$cache/$suite-$arch-$package${source:+-source}
state=$cache/apt/$suite-$arch${source:+-source}

# A file that another user put into the cache would be booted, or run as root.
mkdir -p "$cache"
if [ ! -O "$cache" ] || [ -n "$(find "$cache" -prune -perm /022)" ]; then
	die "others can write '$cache': remove it, or set XDG_CACHE_HOME"
fi
mkdir -p "$state/lists/partial" "$state/archives/partial"
exec 9>"$state/lock"
flock 9 # two boards may fetch the same package at the same time

known() { [ -d "$link/" ] && readlink -f "$link"; }
if [ -n "$(find "$link" -mtime -1 2>/dev/null)" ] && known; then exit; fi

# archive prints the URI of the Debian archive that this machine's sources name.
archive() {
	[ -z "${IPCBOX_ARCHIVE-}" ] || { echo "$IPCBOX_ARCHIVE"; return; }
	# shellcheck disable=SC2016 # apt's variables
	apt-get indextargets --format '$(REPO_URI) $(LABEL)' 'Created-By: Packages' |
		awk '$2 == "Debian" || (NF == 1 && $1 ~ /\/debian\/?$/) { print $1; exit }'
}
apt() {
	tool=$1; shift
	"$tool" -q -o Dir::State="$state" -o Dir::State::lists="$state/lists" \
		-o Dir::State::status="$state/status" -o Dir::Cache="$state" \
		-o Dir::Cache::archives="$state/archives" -o Dir::Cache::pkgcache= -o Dir::Cache::srcpkgcache= \
		-o Dir::Etc::sourcelist="$state/sources.list" -o Dir::Etc::sourceparts=/dev/null \
		-o Dir::Etc::preferences=/dev/null -o Dir::Etc::preferencesparts=/dev/null \
		-o APT::Architecture="$arch" -o APT::Architectures="$arch" -o APT::Sandbox::User= \
		-o Acquire::Languages=none -o Acquire::GzipIndexes=true -o Acquire::PDiffs=false \
		-o Acquire::Retries=3 "$@"
}

fail() {
	if known; then
		echo "fetch.sh: $suite $arch $package: $1: the one of the cache is used" >&2
		touch -h "$link" # do not ask for each target again
		exit
	fi
	die "$suite $arch $package: $1"
}

keyring=/usr/share/keyrings/debian-archive-keyring.gpg
uri=$(archive)
[ -n "$uri" ] || fail "apt's sources name no Debian archive: IPCBOX_ARCHIVE=URI"
: >"$state/status"
if [ -z "$(find "$state/updated" -mtime -1 2>/dev/null)" ]; then
	echo "deb${source:+-src} [signed-by=$keyring] $uri $suite main" >"$state/sources.list"
	apt apt-get update >"$state/log" 2>&1 || fail "$(grep '^[EW]:' "$state/log" | head -n 1)"
	! grep '^[EW]: Failed' "$state/log" >&2 || fail 'no list'
	: >"$state/updated"
fi

if [ -n "$source" ]; then
	cd "$state/archives"
	rm -f -- ./*.*
	apt apt-get source --download-only "$package" >"$state/log" 2>&1 || fail "$(tail -n 1 "$state/log")"
	dsc=$(find . -name '*.dsc')
	dir=$cache/$(basename "$dsc" .dsc)-source
	rm -rf "$dir"
	dpkg-source -x "$dsc" "$dir" >/dev/null 2>"$state/log" || fail "$(tail -n 1 "$state/log")"
	rm -f -- ./*.*
else
	# The metapackage depends on the package that has the kernel: linux-binary since 7.x, linux-image
	# before.
	case $package in linux-image-*)
		real=$(apt apt-cache depends --recurse --no-recommends --no-suggests --no-conflicts --no-breaks \
			--no-replaces --no-enhances "$package" 2>/dev/null |
			grep -oE 'linux-(image|binary)-[0-9]+\.[0-9][^ <>]*' | sort | head -n 1) ;;
	*) real=$package ;;
	esac
	[ -n "$real" ] || fail 'no such package'
	version=$(apt apt-cache show --no-all-versions "$real" | sed -n 's/^Version: //p' | head -n 1)
	dir=$cache/${real}_${version}_$arch
	if [ ! -d "$dir" ]; then
		cd "$state/archives"
		apt apt-get download "$real=$version" >"$state/log" 2>&1 || fail "$(tail -n 1 "$state/log")"
		rm -rf "$dir.new"
		mkdir "$dir.new"
		dpkg-deb --fsys-tarfile "$real"_*.deb |
			tar xf - -C "$dir.new" ${1:+--wildcards} "$@" 2>"$state/log" || [ $# -gt 0 ]
		rm -f -- ./*.deb
		[ -n "$(find "$dir.new" -type f)" ] || fail 'the package has nothing of what is needed'
		mv "$dir.new" "$dir"
	fi
fi
ln -sfn "$dir" "$link"
echo "$dir"
