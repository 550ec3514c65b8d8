# read.awk - reads bench.json and prints the results as contest.sh noted them, for results.awk
#
# Reads what bench.sh wrote, not JSON in general: a line for each question.
#
# SPDX-License-Identifier: 0BSD
# value KEY TEXT returns the value of the first member KEY, without quotation marks.
function value(key, text,   s) {
	if (!match(text, "\"" key "\":(\"([^\"\\\\]|\\\\.)*\"|[^,}\\]]*)"))
		return ""
	s = substr(text, RSTART + length(key) + 3, RLENGTH - length(key) - 3)
	if (s !~ /^"/)
		return s
	s = substr(s, 2, length(s) - 2)
	gsub(/\\"/, "\"", s)
	return s
}
!/^ *\{"id":/ { next }
{
	head = substr($0, 1, index($0, "\"runs\":[") - 1)
	n = split(substr($0, index($0, "\"runs\":[") + 8), run, /\},?/)
	ours = ""
	for (i = 1; i <= n; i++)
		if (value("name", run[i]) == "ipcbox")
			ours = value("title", run[i])
	for (i = 1; i <= n; i++) {
		name = value("name", run[i])
		if (name == "")
			continue
		rest = value("state", run[i])
		if (rest == "")
			rest = value("median", run[i]) " " value("min", run[i]) " " value("max", run[i]) " " value("runs", run[i]) " " \
				value("ratio", run[i]) " " value("ratio_of_minima", run[i])
		printf "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", value("id", head), value("question", head), value("work", head),
			value("shown_in", head), value("amount", head), ours, name, rest
	}
}
