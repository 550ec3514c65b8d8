# page.awk - print an applet's man page
#
# awk -v name= -v line= -v date= -v version= -f page.awk HELP OPTIONS PART
#
# HELP is the text of --help, whose usage becomes SYNOPSIS. OPTIONS is what options.awk prints for
# HELP, and becomes the section OPTIONS after DESCRIPTION. PART is the part that is written by hand:
# NAME.1 in mdoc(7), from .Sh DESCRIPTION on.
#
# SPDX-License-Identifier: 0BSD

BEGIN { FS = "\t"; quote = sprintf("%c", 39) }

# Escapes what roff(7) would take for a request or an escape.
function plain(s) {
	gsub(/\\/, "\\e", s)
	gsub(/-/, "\\-", s)
	return s ~ "^[." quote "]" ? "\\&" s : s
}

# Prints options in bold, placeholders in italics, and the rest unchanged.
function usage(s,  out) {
	while (match(s, /--?[A-Za-z0-9][A-Za-z0-9-]*|[A-Z][A-Z0-9]*/)) {
		out = out plain(substr(s, 1, RSTART - 1)) \
			(substr(s, RSTART, 1) == "-" ? "\\fB" : "\\fI") plain(substr(s, RSTART, RLENGTH)) "\\fP"
		s = substr(s, RSTART + RLENGTH)
	}
	return out plain(s)
}

function head() {
	print ".\\\" Made of " name ".1 and the text of --help by configs/gen.sh."
	print ".Dd " date "\n.Dt " toupper(name) " 1\n.Os \"ipcbox " version "\""
	print ".Sh NAME\n.Nm " name "\n.Nd " plain(line)
	print ".Sh SYNOPSIS"
}

# Prints the usage, without the remarks after it, which are only for the screen.
FILENAME == ARGV[1] && FNR == 1 { head() }
FILENAME == ARGV[1] {
	if (!sub(/^(usage:|   or:|      ) /, "") || $0 !~ /^[a-zA-Z]/ || over) { over = 1; next }
	sub(/   .*/, "")
	command = $0
	sub(/ .*/, "", command)
	sub(/^[^ ]* ?/, "")
	print ".Nm " command
	if ($0 != "") print usage($0)
	next
}

# Prints the head of an entry. An argument that may be left out stands in brackets.
function entry(letter, option, how, arg) {
	printf ".It %s", letter == "" ? "" : "Fl " letter " , "
	printf "Fl \\-%s", plain(option)
	if (how == "::") printf " Ns Oo = Ns Ar %s Oc", plain(arg)
	if (how == ":") printf " Ns = Ns Ar %s", plain(arg)
	print ""
}
FILENAME == ARGV[2] {
	n++
	letter[n] = $1; option[n] = $2; how[n] = $3; arg[n] = $4; text[n] = $6
	next
}

function options(  i) {
	print ".Sh OPTIONS\n.Bl -tag -width Ds"
	for (i = 1; i <= n; i++) {
		entry(letter[i], option[i], how[i], arg[i])
		if (text[i] != "") print sentence(text[i])
	}
	print ".El"
}

# Makes a sentence of a text: "print it once" becomes "Print it once."
function sentence(s) {
	if (s ~ /^[a-z]+( |$)/) s = toupper(substr(s, 1, 1)) substr(s, 2)
	if (s !~ /[.:]$/) s = s "."
	return plain(s)
}

/^\.Sh / && $0 != ".Sh DESCRIPTION" && !done { if (n) options(); done = 1 }
{ print }
END { if (!done && n) options() }
