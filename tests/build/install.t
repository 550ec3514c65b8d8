#!/bin/sh
# These tests install and uninstall with the usual variables of make, and with those of BusyBox.
LIMIT=300
. "${0%/*}/../tap.sh"
. "$room/tree.sh"
cd tree || exit
# files DIR - print the names of all files in DIR, sorted
files() { (cd "$1" && find . ! -type d | sed 's|^\./||' | LC_ALL=C sort); }
build

# --- DESTDIR, prefix ---
rm -rf ../d
run make install DESTDIR=../d prefix=/usr/local
is 'make install with DESTDIR and prefix succeeds' 0 "$rc"
like 'make install says in one line what went where' '*  INSTALL *symlinks*man pages*../d/usr/local/bin*' "$out"
is 'make install writes only below DESTDIR and prefix' '' "$(files ../d | grep -v '^usr/local/')"
files ../d >../local
make -s install DESTDIR=../d2
files ../d2 >../default
ok 'the prefix is /usr/local where none is given' cmp ../local ../default
for file in bin/ipcbox bin/pipecap share/man/man1/ipcbox.1 share/man/man1/pcopy.1 \
	share/bash-completion/completions/ipcbox share/bash-completion/completions/fifow \
	share/zsh/site-functions/_ipcbox share/fish/vendor_completions.d/ipcbox.fish \
	share/fish/vendor_completions.d/pipetest.fish share/ipcbox/schemas.json; do
	ok "make install brings $file" test -s "../d/usr/local/$file"
done
names=$(./ipcbox --list)
for name in $names; do
	is "$name is a link to the box beside it" ipcbox "$(readlink "../d/usr/local/bin/$name")"
	ok "the installed applet $name has a man page" test -s "../d/usr/local/share/man/man1/$name.1"
done
is 'an installed applet runs' 'size=65536' "$(../d/usr/local/bin/pipecap -z 65536)"
is 'programs have mode 755, all else 644' '644 755 ' \
	"$(cd ../d && find . -type f -exec stat -c %a {} + | sort -u | tr '\n' ' ')"
rm -rf ../mask
(umask 077; make -s install DESTDIR=../mask)
is 'a narrow umask narrows nothing that is installed' '755 ' \
	"$(find ../mask/usr -type d -exec stat -c %a {} + | sort -u | tr '\n' ' ')"
rm -rf ../odd
ok 'make install takes bindir, datadir, mandir and the folders of completion' make -s install DESTDIR=../odd bindir=/b \
	datadir=/d mandir=/m bashcompdir=/c/bash zshcompdir=/c/zsh fishcompdir=/c/fish
is 'what is installed is in the chosen folders' 'b c/bash c/fish c/zsh d/ipcbox m/man1 ' \
	"$(cd ../odd && find . -mindepth 2 ! -type d | sed 's|^\./||; s|/[^/]*$||' | grep -v man5 | sort -u | tr '\n' ' ')"
run env prefix=/usr make -s install DESTDIR=../env
ok 'prefix is taken from the environment' test -x ../env/usr/bin/ipcbox

# --- CONFIG_PREFIX ---
ok 'CONFIG_PREFIX on the command line wins' make -s install CONFIG_PREFIX=../c DESTDIR=../lost
is 'CONFIG_PREFIX has usr/bin and usr/share in it' 'usr/bin usr/share ' \
	"$(cd ../c && find usr/* -maxdepth 0 | sort | tr '\n' ' ')"
is 'CONFIG_PREFIX makes make install ignore DESTDIR' '' "$(ls ../lost 2>/dev/null)"
cp .config ../before
sed -i 's|^CONFIG_PREFIX=.*|CONFIG_PREFIX="../from config"|' .config
ok 'CONFIG_PREFIX of .config wins' make -s install DESTDIR=../lost
ok 'CONFIG_PREFIX of .config may have a blank' test -x '../from config/usr/bin/ipcbox'
is 'CONFIG_PREFIX of .config makes make install ignore DESTDIR' '' "$(ls ../lost 2>/dev/null)"
# Kconfig writes a backslash before " and \ in a string.
# shellcheck disable=SC2016 # nobody shall expand it
odd=' $(shell touch ../run) `touch ../run` $HOME #'"it's \"quoted\\\" '"
printf '%s\n' "CONFIG_PREFIX=\"../strange$(printf %s "$odd" | sed 's/["\\]/\\&/g')\"" | cat ../before - >.config
ok 'CONFIG_PREFIX of .config may have any character' make -s install
ok 'make install takes CONFIG_PREFIX of .config as it is, blanks at its end too' test -x "../strange$odd/usr/bin/ipcbox"
ok 'make runs no command of .config' test ! -e ../run
ok 'make uninstall takes CONFIG_PREFIX of .config as it is' make -s uninstall
is 'make uninstall of an odd CONFIG_PREFIX leaves nothing' '' "$(find ../strange* ! -type d)"
cp ../before .config
ok 'a path of the command line may have a quote' make -s install-noclobber DESTDIR="../it's" prefix="/a 'b"
ok 'make installs into a path with a quote' test -x "../it's/a 'b/bin/ipcbox"

# --- kinds of links ---
bin='../in st/usr/bin'
for kind in symlinks hardlinks scripts none; do
	# An install that was killed has left this file.
	mkdir -p "$bin" && touch "$bin/.ipcbox.new" && ln -sf ipcbox "$bin/.pipecap.new" || exit
	ok "make install with $kind succeeds" make -s CONFIG_INSTALL=$kind CONFIG_PREFIX='../in st' install
	ok "the box that is installed with $kind is whole" cmp ipcbox "$bin/ipcbox"
	[ $kind != none ] || break
	is "every applet has its name with $kind" "$(./ipcbox --list | sort)" "$(ls -A "$bin" | grep -v ipcbox)"
	is "an applet works through its name with $kind" "$(./ipcbox pipecap)" "$("$bin/pipecap")"
done
rm -f "$bin/.pipecap.new" "$bin/pcopy"
ok 'a second install replaces the first' make -s CONFIG_PREFIX='../in st' install
is 'a second install leaves no temporary name' '' "$(find "$bin" -name '.*.new')"
run make -s CONFIG_INSTALL=nosuch CONFIG_PREFIX='../in st' install
like 'the message about an unknown kind of link names the kind' "2 CONFIG_INSTALL is 'nosuch': *" "$rc $err"
rm "$bin/pcopy" && mkdir "$bin/pcopy"
run make -s CONFIG_PREFIX='../in st' install
like 'the message about a directory in the way of a link names the directory' '2 mv: *pcopy*' "$rc $err"
is 'a directory in the way of a link stays as it is' '' "$(ls -A "$bin/pcopy")"
rmdir "$bin/pcopy"
ok 'make uninstall succeeds' make -s CONFIG_PREFIX='../in st' uninstall
is 'make uninstall leaves nothing, not even a folder' '' "$(ls -A '../in st')"

# --- install-noclobber, uninstall ---
mkdir -p ../n/usr/local/bin ../n/usr/local/share/man/man1
echo mine >../n/usr/local/bin/pcopy
ln -s /nowhere ../n/usr/local/bin/fifow
echo mine >../n/usr/local/share/man/man1/fifor.1
ok 'make install-noclobber succeeds' make -s install-noclobber DESTDIR=../n
is 'install-noclobber replaces no file' 'mine mine' \
	"$(cat ../n/usr/local/bin/pcopy) $(cat ../n/usr/local/share/man/man1/fifor.1)"
is 'install-noclobber replaces no link, not even a dangling one' /nowhere "$(readlink ../n/usr/local/bin/fifow)"
files ../n >../noclobber
ok 'install-noclobber brings all that is not there' cmp ../local ../noclobber
rm -f ../n/usr/local/bin/pipesz
echo pipesz of another package >../n/usr/local/bin/pipesz
ok 'make uninstall removes what make install brought' make -s uninstall DESTDIR=../n
is 'make uninstall leaves what others have put there' "bin/fifow
bin/pcopy
bin/pipesz
share/man/man1/fifor.1" "$(files ../n/usr/local)"
make -s install DESTDIR=../u CONFIG_INSTALL=hardlinks
make -s uninstall DESTDIR=../u
is 'make uninstall removes hard links' '' "$(ls -A ../u)"
make -s install DESTDIR=../none
make -s allnoconfig
LIMIT=60 run make -s uninstall DESTDIR=../none
is 'make uninstall succeeds though .config has lost all applets' '0 ' "$rc $err"
is 'make uninstall removes all though .config has lost all applets' '' "$(ls -A ../none)"
make -s defconfig

# --- the list of names ---
make -s ipcbox.links
is 'ipcbox.links lists the names' "$(for name in $names; do echo "/usr/local/bin/$name"; done)" "$(cat obj/ipcbox.links)"
make -s ipcbox.links prefix=/usr
is 'ipcbox.links has the prefix that was asked for' "$(for name in $names; do echo "/usr/bin/$name"; done)" "$(cat obj/ipcbox.links)"

# --- pipesz, which is off ---
is 'pipesz is not installed where nobody asked for it' '' "$(files ../d | grep pipesz)"
is '.config says that pipesz is off' '# CONFIG_PIPESZ is not set' "$(grep PIPESZ .config)"
sed -i 's/.*CONFIG_PIPESZ.*/CONFIG_PIPESZ=y/' .config
ok 'make install with CONFIG_PIPESZ succeeds' make -s -j2 install DESTDIR=../p
for file in bin/pipesz share/man/man1/pipesz.1 share/bash-completion/completions/pipesz \
	share/fish/vendor_completions.d/pipesz.fish; do
	ok "CONFIG_PIPESZ brings $file" test -e "../p/usr/local/$file"
done
like 'pipesz answers under CONFIG_PIPESZ' 'usage: *' "$(../p/usr/local/bin/pipesz --help)"
make -s -j2 KCONF= defconfig
make -s uninstall DESTDIR=../p
is 'uninstall removes pipesz though .config has lost it' '' "$(ls -A ../p)"
