# zsh.awk - print the completion for zsh
#
# It reads the lines that gen.sh prints for the options. A line has these fields, with tabs between
# them: applet, letter, name, how, ARG, words, text. options.awk says what they mean.
#
# SPDX-License-Identifier: 0BSD

BEGIN { FS = "\t"; quote = sprintf("%c", 39) }

# Escapes a text that stands in an [explanation] in single quotes.
function plain(s) {
	gsub(/\\|\[|\]|:/, "\\\\&", s)
	gsub(quote, quote "\\" quote quote, s)
	return s
}

# Returns ":ARG:action" of the option, with "::" if ARG may be left out.
function argument(how, arg, words,  action) {
	if (how == "") return ""
	if (words != "") action = "(" words ")"
	else if (arg ~ /^(GLOB|ID)$/) action = "_ipcbox_cases"
	else if (arg == "DIR") action = "_files -/"
	else if (arg ~ /^(FILE|FIFO)$/) action = "_files"
	else action = " "
	return how plain(arg) ":" action
}

!($1 in specs) { applets[++n] = $1 }
{
	argument_of = argument($4, $5, $6)
	# With "+" and "=", an option and its argument are one word or two. With "-" and "=-", they
	# are one word (_arguments in zshcompsys(1)).
	short = $2 == "" ? "" : "-" $2 ($4 == "::" ? "-" : $4 == ":" ? "+" : "")
	long = "--" $3 ($4 == "::" ? "=-" : $4 == ":" ? "=" : "")
	text = "[" plain($7) "]" argument_of
	if (short != "") specs[$1] = specs[$1] " \\\n\t\t" quote "*" short text quote
	specs[$1] = specs[$1] " \\\n\t\t" quote "*" long text quote
}
END {
	for (i = 1; i <= n; i++) list = list " " applets[i]
	print "#compdef ipcbox" list
	print "# zsh completion for ipcbox and its applets; generated\n"
	print "_ipcbox_cases() {\n\tlocal -a cases\n\tcases=(${${(f)\"$($_ipcbox_command -l 2>/dev/null)\"}%% *})\n\tcompadd -a cases\n}\n"
	print "_ipcbox_applet() {\n\tcase $1 in"
	for (i = 1; i <= n; i++) print "\t" applets[i] ") _arguments -s" specs[applets[i]] " \\\n\t\t'*:file:_files' ;;"
	print "\tesac\n}\n"
	print "local -a _ipcbox_command"
	print "if [[ $service != ipcbox ]]; then\n\t_ipcbox_command=($words[1])\n\t_ipcbox_applet $service"
	print "elif (( CURRENT == 2 )); then\n\tcompadd --" list " --help --list --install --version"
	print "elif [[ $words[2] == --help ]]; then\n\tcompadd --" list
	print "else\n\t_ipcbox_command=($words[1] $words[2])\n\tshift words\n\t(( CURRENT-- ))\n\t_ipcbox_applet $words[1]\nfi"
}
