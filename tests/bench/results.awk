# results.awk - reads the results question by question for the programs that show them: it calls
# show() of the awk file beside it for each question, with its tools from the fastest to the slowest
#
# SPDX-License-Identifier: 0BSD
function is_rate() { return unit ~ /\/s$/ }
function amount_of(ns) {
	if (is_rate()) return ns > 0 ? amount / ns * (unit == "MB/s" ? 1e3 : 1e9) : 0
	return ns / (unit == "us" ? 1e3 : unit == "ms" ? 1e6 : unit == "s" ? 1e9 : unit == "KiB" ? 1024 : 1)
}
# number VALUE prints three digits or more, with commas between thousands.
function number(v,   s, t) {
	s = sprintf(v >= 100 || v == int(v) ? "%.0f" : v >= 10 ? "%.1f" : "%.2f", v)
	if (s !~ /^[0-9]+$/) return s
	for (t = ""; length(s) > 3; s = substr(s, 1, length(s) - 3)) t = "," substr(s, length(s) - 2) t
	return s t
}
function units() { return unit == "us" ? "microseconds" : unit == "ms" ? "milliseconds" : unit == "s" ? "seconds" : unit }
function direction() { return is_rate() ? "more is better" : "less is better" }
function is_bare(i) { return name[i] ~ /^bare_/ }
function is_ours(i) { return name[i] == "ipcbox" }
function measured(i) { return median[i] ~ /^[0-9]/ }
function title(i,   s) {
	if (is_ours(i)) return ours
	s = name[i]
	gsub(/_/, " ", s)
	return s (is_bare(i) ? " loop" : "")
}
# best BARE returns the fastest bare loop, or else the fastest peer: 0 if there is none.
function best(bare,   i, found) {
	for (i = 1; i <= n; i++)
		if (measured(i) && !is_ours(i) && is_bare(i) == bare && (!found || median[i] < median[found]))
			found = i
	return found
}
function role(i) { return i == peer ? "best peer" : i == loop ? "bare loop" : "" }
function once(i) { return runs[i] == 1 ? " (1 run)" : "" }
# standing I says if all runs of ours were faster than those of a tool, or slower, or neither.
function standing(i,   k) {
	for (k = 1; k <= n && !is_ours(k); k++) ;
	if (k > n || !measured(k)) return ""
	return high[k] + 0 < low[i] + 0 ? "ahead" : low[k] + 0 > high[i] + 0 ? "behind" : "alike"
}
function swap(list, i,   t) { t = list[i]; list[i] = list[i - 1]; list[i - 1] = t }
function order(   i, k) {
	for (i = 2; i <= n; i++)
		for (k = i; k > 1 && measured(k) && (!measured(k - 1) || median[k] + 0 < median[k - 1] + 0); k--) {
			swap(name, k); swap(median, k); swap(low, k); swap(high, k); swap(runs, k); swap(ratio, k); swap(least, k)
		}
}
function finish() {
	if (!n) return
	order()
	peer = best(0)
	loop = best(1)
	show()
	n = 0
}
$1 $2 $3 != key { finish() }
{
	key = $1 $2 $3; id = $1; question = $2; work = $3; unit = $4; amount = $5; ours = $6; name[++n] = $7
	split($8, word, " ")
	median[n] = word[1]; low[n] = word[2]; high[n] = word[3]; runs[n] = word[4] + 0; ratio[n] = word[5]; least[n] = word[6]
}
END { finish(); end() }
