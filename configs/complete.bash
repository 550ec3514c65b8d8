
# _ipcbox_reply WORDS CUR - offers those of WORDS that begin with CUR. No blank follows "=".
_ipcbox_reply() {
	local IFS=$' \t\n'
	COMPREPLY=($(compgen -W "$1" -- "$2"))
	[[ ${#COMPREPLY[@]} != 1 || ${COMPREPLY[0]} != *= ]] || compopt -o nospace
}

# Completes for ipcbox and for each applet. Where COMPREPLY stays empty, readline offers files.
_ipcbox() {
	local at=0 applet=${COMP_WORDS[0]##*/} cur=${COMP_WORDS[COMP_CWORD]} option='' words
	COMPREPLY=()
	if [[ $applet == ipcbox ]]; then
		if [[ $COMP_CWORD == 1 ]]; then
			_ipcbox_reply "$_ipcbox_applets --help --list --install --version" "$cur"
			return
		fi
		at=1 applet=${COMP_WORDS[1]##*/}
		if [[ $applet == --help ]]; then _ipcbox_reply "$_ipcbox_applets" "$cur"; return; fi
	fi
	# readline takes "=" for a word of its own: --name = value
	if [[ $cur == = && $COMP_CWORD -gt 1 ]]; then
		option=${COMP_WORDS[COMP_CWORD - 1]} cur=''
	elif [[ $COMP_CWORD -gt 2 && ${COMP_WORDS[COMP_CWORD - 1]} == = ]]; then
		option=${COMP_WORDS[COMP_CWORD - 2]}
	elif [[ $cur == --*=* ]]; then
		option=${cur%%=*} cur=${cur#*=}
	elif [[ $((COMP_CWORD - 1)) -gt $at ]] && _ipcbox_takes "$applet" "${COMP_WORDS[COMP_CWORD - 1]}"; then
		option=${COMP_WORDS[COMP_CWORD - 1]}
	fi
	if [[ -n $option ]]; then
		words=$(_ipcbox_words "$applet" "$option")
		case $words in
		@files | '') ;;
		@none) compopt +o default ;;
		@cases) _ipcbox_reply "$("${COMP_WORDS[@]:0:at + 1}" -l 2>/dev/null | sed 's/ .*//')" "$cur" ;;
		*) _ipcbox_reply "$words" "$cur" ;;
		esac
	elif [[ $cur == -* ]]; then
		_ipcbox_reply "$(_ipcbox_options "$applet")" "$cur"
	fi
}
complete -o default -F _ipcbox ipcbox $_ipcbox_applets
