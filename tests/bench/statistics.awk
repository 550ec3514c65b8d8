# statistics.awk - reads lines "round name value"; prints name, median, minimum, maximum and runs of
# each name, and the ratios of ipcbox to it: the median of the pairs of a round, and that of the minima
#
# Round 0 warms up. It counts where a name has no other, and such a name has no pairs: the ratio is
# that of the medians.
#
# SPDX-License-Identifier: 0BSD
function median(v, n,   i, k, t) {
	for (i = 2; i <= n; i++)
		for (k = i; k > 1 && v[k - 1] > v[k]; k--) { t = v[k]; v[k] = v[k - 1]; v[k - 1] = t }
	return (v[int((n + 1) / 2)] + v[int(n / 2) + 1]) / 2
}
# summary NAME sets middle[NAME], low[NAME], high[NAME] and count[NAME].
function summary(name,   round, v, n) {
	for (round = 1; round <= rounds; round++)
		if ((name, round) in at)
			v[++n] = at[name, round]
	if (!n)
		v[++n] = at[name, 0]
	middle[name] = median(v, n); low[name] = v[1]; high[name] = v[n]; count[name] = n
}
function paired(name,   round, v, n) {
	for (round = 1; round <= rounds; round++)
		if ((name, round) in at && ("ipcbox", round) in at && at[name, round] > 0)
			v[++n] = at["ipcbox", round] / at[name, round]
	if (n)
		return median(v, n)
	return middle[name] > 0 ? middle["ipcbox"] / middle[name] : 0
}
{
	if (!($2 in seen)) { seen[$2]; names[++last] = $2 }
	at[$2, $1] = $3
	if ($1 > rounds) rounds = $1
}
END {
	for (i = 1; i <= last; i++)
		summary(names[i])
	for (i = 1; i <= last; i++) {
		name = names[i]
		printf "%s %.10g %s %s %d", name, middle[name], low[name], high[name], count[name]
		if (("ipcbox", 0) in at)
			printf " %.4g %.4g", paired(name), (low[name] > 0 ? low["ipcbox"] / low[name] : 0)
		print ""
	}
}
