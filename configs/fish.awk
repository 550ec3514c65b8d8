# fish.awk - print the completion for fish
#
# It reads the lines that gen.sh prints for the options. A line has these fields, with tabs between
# them: applet, letter, name, how, ARG, words, text. options.awk says what they mean.
#
# SPDX-License-Identifier: 0BSD

BEGIN {
	FS = "\t"
	quote = sprintf("%c", 39)
	print "# fish completion for ipcbox and its applets; generated"
	print "function __ipcbox_cases\n\tset -l words (commandline -opc)"
	print "\tif string match -q '*ipcbox' -- $words[1]\n\t\tset words $words[1..2]\n\telse\n\t\tset words $words[1]\n\tend"
	print "\t$words -l 2>/dev/null | string replace -r ' .*' ''\nend"
	print "function __ipcbox_rest\n\tcomplete -C (string replace -r '^\\s*\\S*ipcbox\\s+' '' -- (commandline -cp))\nend"
}

function plain(s) {
	gsub(/\\/, "&&", s)
	gsub(quote, "\\" quote, s)
	return quote s quote
}

!($1 in seen) { list = list " " $1; seen[$1] }
{
	out = "complete -c " $1 ($2 == "" ? "" : " -s " $2) " -l " $3
	# fish takes an optional argument only after "=", and offers its words there by itself.
	if ($4 == ":") out = out ($5 ~ /^(FILE|FIFO|DIR)$/ ? " -r -F" : " -x")
	if ($4 != "" && $6 != "") out = out " -a " plain($6)
	if ($4 != "" && $5 ~ /^(GLOB|ID)$/) out = out " -a '(__ipcbox_cases)'"
	print out ($7 == "" ? "" : " -d " plain($7))
}
END {
	print "complete -c ipcbox -n __fish_use_subcommand -x -a '" substr(list, 2) "'"
	print "complete -c ipcbox -n __fish_use_subcommand -l help -d 'print the help'"
	print "complete -c ipcbox -n __fish_use_subcommand -l list -d 'print the applets'"
	print "complete -c ipcbox -n __fish_use_subcommand -l install -d 'make links in a directory'"
	print "complete -c ipcbox -n __fish_use_subcommand -l version -d 'print the version'"
	print "complete -c ipcbox -n 'not __fish_use_subcommand' -f -a '(__ipcbox_rest)'"
}
