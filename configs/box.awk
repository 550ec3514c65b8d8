# box.awk - put the tables of the box's --help into its man page
#
# awk -f box.awk HELP PART
#
# HELP has two tables: the applets, and, after the line "Exit status", the exit statuses. A row is a
# word, blanks and a text. In PART, the tables replace the lines .\" APPLETS and .\" STATUS.
#
# SPDX-License-Identifier: 0BSD

FILENAME == ARGV[1] && !NF && !table { table = "APPLETS" }
FILENAME == ARGV[1] && /^Exit status/ { table = "STATUS" }
FILENAME == ARGV[1] && table && /^ *[0-9a-z+N]+  / { row[table, ++n[table]] = $0; next }
FILENAME == ARGV[1] { if (NF && n[table]) row[table, n[table]] = row[table, n[table]] " " $0; next }

/^\.\\" (APPLETS|STATUS)$/ {
	table = $2
	if (!n[table]) next	# no applet is switched on
	print ".Bl -tag -width pipetest(1) -compact"
	for (i = 1; i <= n[table]; i++) {
		$0 = row[table, i]
		word = $1
		sub(/^ *[^ ]+ +/, "")
		gsub(/  +/, " ")
		print ".It " (word ~ /^[a-z]/ ? "Xr " word " 1" : word) "\n" $0
	}
	print ".El"
	next
}
{ print }
