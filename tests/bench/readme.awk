# readme.awk - prints README's table of speed: six questions, ours and the best peer; see results.awk
#
# $CAPTION is the heading.
#
# SPDX-License-Identifier: 0BSD
BEGIN {
	split("file by FIFO|lines by FIFO|durable copy|verified copy|4 KiB copy|one record", what, "|")
	split("F1 F3 C2 C4 C6 M3", want, " ")
	print ENVIRON["CAPTION"] "\n"
	printf "    %-13s %-20s %9s %-4s  %s\n", "", "", "ipcbox", "", "best other tool"
}
# Of the two questions of F3 the table has that with lines; of C2 it has that with a new name.
function place(   k) {
	for (k in want)
		if (want[k] == id && (id != "F3" || ours ~ /line/) && (id != "C2" || work ~ /new name/))
			return k
	return 0
}
function show(   k, i) {
	k = place()
	if (!k || !peer) return
	for (i = 1; i <= n && !is_ours(i); i++) ;
	row[k] = sprintf("    %-13s %-20s %9s %-4s  %-15s %9s", what[k], ours, number(amount_of(median[i])),
		unit ~ /^(messages|records)/ ? "/s" : unit, title(peer), number(amount_of(median[peer])))
}
function end(   k) {
	for (k = 1; k <= 6; k++) if (k in row) print row[k]
}
