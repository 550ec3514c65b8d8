#!/bin/sh
# A Debian package out of a debian/rules of nothing but "dh $@" and prefix=/usr: packaging/debian.
LIMIT=300
. "${0%/*}/../tap.sh"
. "$room/tree.sh"

for tool in dpkg-buildpackage dh musl-gcc; do
	! missing $tool || { skip 'dh builds a package' "no $tool"; exit; }
done
is 'debian/rules says dh and prefix=/usr, and nothing else' '#!/usr/bin/make -f
export prefix=/usr
%:
	dh $@' "$(cat "$top/packaging/debian/rules")"
cp -R tree/packaging/debian tree/debian
# The package is built by a user without privileges, as on the machines that build for Debian.
as=
if [ "$(id -u)" = 0 ]; then
	as='setpriv --reuid=65534 --regid=65534 --clear-groups'
	build=$(mktemp -d /tmp/ipcbox-build.XXXXXX) || exit
	trap 'kill $PIDS 2>/dev/null; rm -rf "$T" "$build"; echo "1..$N"' EXIT
	chmod 755 "$build"
	mv tree "$build/" && chown -R 65534:65534 "$build" && cd "$build" || exit
fi
# make test starts from an empty environment, so that the user's variables have no effect.
run env LC_ALL=C IPCBOX_TIMEOUT_SCALE=nonsense DEB_BUILD_OPTIONS="parallel=$(nproc)" HOME=/nonexistent TMPDIR="$PWD" \
	$as sh -c 'cd tree && exec dpkg-buildpackage -b -us -uc 2>&1'
log=$out
is 'a debian/rules of "dh $@" builds a package' 0 "$rc"
[ "$rc" = 0 ] || echo "$log" | tail -n 20 | sed 's/^/#   /'
like 'make test passes in the package, under the flags of dpkg' '* assertions passed, 0 of 10 files have failures' \
	"$(echo "$log" | grep '^make test')"
is 'make test leaves no file of tests out' '' "$(echo "$log" | grep -E '^(skipped:|no time was left)')"
is 'make test and make install compile nothing again' '' "$(echo "$log" | grep '^  CC ' | sort | uniq -d)"
mkdir root && dpkg-deb -x ipcbox_*.deb root && cd root || exit
ok 'the package has the box' test -x usr/bin/ipcbox
is 'the package has seven links to the box and no pipesz' 'fifor fifow mmapr mmapw pcopy pipecap pipetest ' \
	"$(find usr/bin -lname ipcbox | sed 's|.*/||' | sort | tr '\n' ' ')"
is 'the package has no other program' 8 "$(find usr/bin ! -type d | wc -l)"
for applet in ipcbox fifor fifow mmapr mmapw pcopy pipecap pipetest; do
	ok "the package has the man page of $applet" test -s "usr/share/man/man1/$applet.1.gz"
	ok "the package has the completion of $applet for bash" test -s "usr/share/bash-completion/completions/$applet"
	ok "the package has the completion of $applet for fish" test -s "usr/share/fish/vendor_completions.d/$applet.fish"
done
ok 'the package has the completion for zsh' test -s usr/share/zsh/site-functions/_ipcbox
for hook in share/initramfs-tools/hooks/ipcbox share/initramfs-tools/scripts/init-premount/ipcbox \
	lib/dracut/modules.d/90ipcbox/module-setup.sh; do
	ok "the package has $hook, and it can be run" test -x "usr/$hook"
done
is 'the package has files below /usr alone' usr "$(ls)"
like 'the box of the package is static and stripped' '*statically linked*, stripped' "$(file usr/bin/ipcbox)"
like 'the box of the package runs' 'ipcbox *' "$(usr/bin/ipcbox --version)"
cd ..
if missing lintian; then
	skip 'lintian is silent about the package' 'no lintian'
else
	run env LC_ALL=C HOME=/nonexistent TMPDIR="$PWD" $as lintian ipcbox_*.changes
	is 'lintian is silent about the package' '0 ' "$rc $out$err"
	is 'the package overrides one tag of lintian: it is static' \
		'ipcbox: statically-linked-binary [usr/bin/ipcbox]' "$(grep -v '^#' tree/debian/ipcbox.lintian-overrides)"
fi
