# bash.awk - print the completion for bash
#
# It reads the lines that gen.sh prints for the options. A line has these fields, with tabs between
# them: applet, letter, name, how, ARG, words, text. options.awk says what they mean.
#
# SPDX-License-Identifier: 0BSD

BEGIN { FS = "\t" }
!($1 in all) { applets[++n] = $1 }
{
	all[$1] = all[$1] " --" $3 ($4 == "" ? "" : "=")
	if ($4 == "") next
	option = $1 ":--" $3 ($2 == "" ? "" : "|" $1 ":-" $2)
	kind = $6 != "" ? $6 : $5 ~ /^(GLOB|ID)$/ ? "@cases" : $5 ~ /^(FILE|FIFO|DIR)$/ ? "@files" : "@none"
	args[++m] = "\t" option ") echo '" kind "' ;;"
	if ($4 == ":") separate = separate "|" $1 ":--" $3 ($2 == "" ? "" : "|" $1 ":-" $2)
}
END {
	print "# bash completion for ipcbox and its applets; generated"
	print "_ipcbox_options() {\n\tcase $1 in"
	for (i = 1; i <= n; i++) { print "\t" applets[i] ") echo '" substr(all[applets[i]], 2) "' ;;"; list = list " " applets[i] }
	print "\tesac\n}"
	print "# Prints what can follow an option: words, @cases, @files or @none."
	print "_ipcbox_words() {\n\tcase $1:$2 in"
	for (i = 1; i <= m; i++) print args[i]
	print "\tesac\n}"
	print "# Returns 0 if the word after this option is its argument."
	print "_ipcbox_takes() { case $1:$2 in " substr(separate, 2) ") ;; *) return 1 ;; esac; }"
	print "_ipcbox_applets='" substr(list, 2) "'"
	while ((getline line < "configs/complete.bash") > 0) print line
}
