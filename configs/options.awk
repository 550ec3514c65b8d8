# options.awk - print the options of one applet, which it finds in its --help
#
# A line that begins with "-" names options, and the indented lines after it continue its text. Two
# options on one line have two or more blanks, or a semicolon, between them:
#
#	-x, --long ARG  text     --other[=ARG]  text; --third=WORD|WORD
#
# options.awk prints a line for each option, with tabs between: letter, name, how, ARG, words, text.
# "how" is empty for an option without an argument, ":" for one with an argument, and "::" for one
# whose argument may be left out. "words" are the words that ARG itself names, with blanks between.
#
# SPDX-License-Identifier: 0BSD

BEGIN { OFS = "\t" }

function print_options(  i) {
	for (i = 1; i <= n; i++) print letter[i], name[i], how[i], arg[i], words(arg[i]), text[i]
	n = 0
}

# Returns the lower-case words of "auto|D" or "mode,owner".
function words(arg,  list, parts, i, count) {
	count = split(arg, parts, /[|,]/)
	for (i = 1; i <= count; i++) if (parts[i] ~ /^[a-z][a-z0-9-]*$/) list = list " " parts[i]
	return substr(list, 2)
}

# Takes one part of a line: "-x, --long ARG  text", or "--one, --two: text".
function take(part) {
	while (match(part, /^(-[A-Za-z0-9], )?--[a-z][a-z-]*/)) {
		n++
		letter[n] = part ~ /^--/ ? "" : substr(part, 2, 1)
		name[n] = substr(part, RSTART, RLENGTH)
		sub(/.*--/, "", name[n])
		part = substr(part, RLENGTH + 1)
		how[n] = arg[n] = text[n] = ""
		if (match(part, /^\[=[^ ]*\]/)) {
			how[n] = "::"
			arg[n] = substr(part, 3, RLENGTH - 3)
		} else if (match(part, /^[= ]([A-Z]+[^ ;:]*(:[^ ;]+)?|[A-Za-z0-9]+[|][^ ;]*)/) || match(part, /^=[^ ;]+/)) {
			how[n] = ":"
			arg[n] = substr(part, 2, RLENGTH - 1)
		} else RLENGTH = 0
		part = substr(part, RLENGTH + 1)
		sub(/^ \[-- [A-Z]+\]/, "", part)
		if (!sub(/^, /, "", part)) break
	}
	if (!n || part == "") return
	sub(/^[ :;]+/, "", part)
	text[n] = text[n] == "" ? part : text[n] "; " part
}

/^ *-/ {
	print_options()
	sub(/^ +/, "")
	# \001 marks where the next option of the line begins.
	while (match($0, /(;|  ) *--?[A-Za-z0-9]/)) {
		begin = substr($0, RSTART, RLENGTH)
		sub(/[; ]+/, "\001", begin)
		$0 = substr($0, 1, RSTART - 1) begin substr($0, RSTART + RLENGTH)
	}
	count = split($0, part, "\001")
	for (i = 1; i <= count; i++) take(part[i])
	next
}
/^ / && n { sub(/^ +/, ""); text[n] = text[n] " " $0; next }
{ print_options() }
END { print_options() }
