# box.awk - the tables of the box's --help in its man page
#
# awk -f box.awk HELP PART
#
# HELP has two tables, the applets and the exit statuses: a word, blanks, the text. They replace the
# lines .\" APPLETS and .\" STATUS of PART.
#
# SPDX-License-Identifier: 0BSD

FILENAME == ARGV[1] && !NF { table++ }
FILENAME == ARGV[1] && table && /^ *[0-9a-z+N]+  / { n[table]++; row[table, n[table]] = $0; next }
FILENAME == ARGV[1] { if (n[table]) row[table, n[table]] = row[table, n[table]] " " $0; next }

/^\.\\" (APPLETS|STATUS)$/ {
	for (t++; !n[t]; t++) ;
	print ".Bl -tag -width pipetest(1) -compact"
	for (i = 1; i <= n[t]; i++) {
		$0 = row[t, i]
		word = $1
		sub(/^ *[^ ]+ +/, "")
		gsub(/  +/, " ")
		print ".It " (word ~ /^[a-z]/ ? "Xr " word " 1" : word) "\n" $0
	}
	print ".El"
	next
}
{ print }
