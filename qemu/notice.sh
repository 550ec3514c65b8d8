#!/bin/sh
# notice.sh ARCH... - print the copyright notice of the musl that a static binary for ARCH holds
#
# The licence of musl wants its notice to go with each copy. Two architectures with the same notice
# share one.
#
# SPDX-License-Identifier: 0BSD
. "${0%/*}/lib.sh"
set -eu
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' INT TERM

echo 'ipcbox itself is 0BSD: see LICENSE in its source. A static binary also holds parts of the C'
echo 'library musl, whose notices follow.'
for arch; do
	set_arch "$arch"
	case $musl in
	+*) notice=$("$here/fetch.sh" "${musl#+}" amd64 source musl)/COPYRIGHT ;;
	*) notice=$("$here/fetch.sh" "$musl" "$arch" musl-dev)/usr/share/doc/musl-dev/copyright ;;
	esac
	sum=$(sha256sum <"$notice" | cut -d' ' -f1)
	echo "$arch" >>"$work/$sum.names"
	cp "$notice" "$work/$sum"
done
for names in "$work"/*.names; do
	printf '\n=== musl in the binaries for %s\n\n' "$(tr '\n' ' ' <"$names" | sed 's/ $//; s/ /, /g')"
	cat "${names%.names}"
done
