# agree.awk - says if two runs agree: it reads the results of both, as read.awk prints them
#
# One tool is ahead of another if its worst run was faster than the best run of the other. Two runs
# contradict each other where ours is ahead in one and behind in the other. The status is 1 then.
#
# SPDX-License-Identifier: 0BSD
BEGIN { FS = "\t" }
FNR == 1 { file++ }
$8 !~ /^[0-9]/ { next }
{
	key = $1 "\t" $2 "\t" $3
	split($8, word, " ")
	low[file, key, $7] = word[2]; high[file, key, $7] = word[3]
	if (!((key, $7) in known)) { known[key, $7]; peers[key] = peers[key] $7 "\n" }
	if (!(key in seen)) { seen[key]; order[++last] = key }
}
# ahead FILE KEY NAME returns 1 if ours is ahead, -1 if the other is, 0 if their runs overlap.
function ahead(file, key, name) {
	if (high[file, key, "ipcbox"] < low[file, key, name]) return 1
	return low[file, key, "ipcbox"] > high[file, key, name] ? -1 : 0
}
function both(key, name) { return ((1, key, name) in low) && ((2, key, name) in low) }
function list(s, name) { gsub(/_/, " ", name); return s (s == "" ? "" : ", ") name }
END {
	for (i = 1; i <= last; i++) {
		key = order[i]
		n = split(peers[key], name, "\n")
		front = back = near = against = ""
		for (k = 1; k < n; k++) {
			if (name[k] == "ipcbox" || !both(key, name[k]) || !both(key, "ipcbox")) continue
			a = ahead(1, key, name[k]); b = ahead(2, key, name[k])
			if (a * b < 0) against = list(against, name[k])
			else if (a + b > 0) front = list(front, name[k])
			else if (a + b < 0) back = list(back, name[k])
			else near = list(near, name[k])
		}
		if (front back near against == "") continue
		split(key, part, "\t")
		printf "%s  %s (%s)\n", part[1], part[2], part[3]
		if (front != "") print "    ahead of " front
		if (near != "") print "    alike " near
		if (back != "") print "    behind " back
		if (against != "") { print "    THE RUNS CONTRADICT EACH OTHER: " against; bad++ }
		questions++
	}
	printf "%d questions, %d contradictions\n", questions, bad
	exit bad > 0
}
