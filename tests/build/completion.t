#!/bin/sh
# These tests try the completion in bash, zsh and fish themselves.
. "${0%/*}/../tap.sh"
. "$room/tree.sh"
cd tree || exit
make -s completion || exit
: "${IPCBOX:=$top/ipcbox}"
mkdir ../bin && ln -s "$IPCBOX" ../bin/ipcbox && "$IPCBOX" --install -s ../bin && PATH=$T/bin:$PATH
folder=$PWD/obj/completion

# has SHELL LINE WORD - SHELL has to offer WORD for LINE
has() { like "$1 completes '$2' with $3" "*
$3
*" "
$(complete_"$1" "$2")
"; }
hasnt() { like "$1 does not complete '$2' with $3" 0 "$(complete_"$1" "$2" | grep -cx -e "$3")"; }

# The words are those of readline, to which "=" is a word.
complete_bash() {
	bash -c '. "$1/ipcbox.bash"
		compopt() { :; }
		line=$2
		read -ra COMP_WORDS <<<"${line//=/ = }"
		case $line in *[=\ ]) [[ $line == *= ]] || COMP_WORDS+=("") ;; esac
		COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
		_ipcbox
		printf "%s\n" "${COMPREPLY[@]}"' bash "$folder" "$1"
}
complete_fish() { fish --no-config -c "for f in $folder/*.fish; source \$f; end; complete -C '$1'" | cut -f1; }
# zsh completes in a terminal only: zpty gives it one. The test replaces compadd, and writes down
# what zsh offers.
cat >../zsh.zpty <<'END'
zmodload zsh/zpty
zpty z "TERM=dumb zsh -f -i"
zpty -w z "PS1=; fpath=($1 \$fpath); autoload -U compinit; compinit -u -D"
zpty -w z 'compadd() { local -a all; builtin compadd -O all "$@"; print -rl -- $^all >>$OUT; builtin compadd "$@" }'
zpty -w z "OUT=$3; print -r REA''DY"
zpty -r -m z out '*READY*'
zpty -w -n z "$2"$'\t'
for i in {1..100}; do
	sleep 0.1
	zpty -r -t z out
	[[ ! -s $3 ]] || break
done
zpty -d z
END
complete_zsh() { rm -f "$T/offered"; timeout 20 zsh -f "$T/zsh.zpty" "$folder" "$1" "$T/offered"; cat "$T/offered"; }

for shell in bash fish zsh; do
	if missing $shell; then skip "$shell completes the options of the applets" "no $shell"; continue; fi
	has $shell 'ipcbox pipe' pipecap
	has $shell 'ipcbox pcopy --ver' --verify
	has $shell 'pcopy --ver' --verify
	hasnt $shell 'pcopy --ver' --version=
	has $shell 'pcopy -e ' mmap
	has $shell 'fifow -E ' drop
	has $shell 'pipetest -t tut.p1.h' tut.p1.hello.pipe
	has $shell 'ipcbox pipetest -t tut.p1.h' tut.p1.hello.pipe
	hasnt $shell 'pcopy -e m' auto
done
if ! missing bash; then
	has bash 'fifow --frame=' packet
	has bash 'fifow --frame=pa' packet
	has bash 'ipcbox fifow --frame=pa' packet
	ok 'bash takes the completion without a word' sh -c "bash -c '. $folder/ipcbox.bash' 2>&1 | cmp - /dev/null"
fi
if ! missing fish; then
	has fish 'fifow --frame=pa' --frame=packet
	ok 'fish takes the completion without a word' sh -c "fish --no-config -c 'source $folder/ipcbox.fish' 2>&1 | cmp - /dev/null"
fi
if ! missing zsh; then
	ok 'zsh parses the completion' zsh -n "$folder/_ipcbox"
	has zsh 'fifow --frame=pa' packet
fi
