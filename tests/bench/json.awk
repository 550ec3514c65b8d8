# json.awk - prints the results as the members of a JSON array; see results.awk
#
# SPDX-License-Identifier: 0BSD
function quote(s) { gsub(/["\\]/, "\\\\&", s); return "\"" s "\"" }
function raw() { return unit == "KiB" ? "bytes" : unit == "count" ? "count" : "ns" }
function against(i) {
	return i && measured(i) && ratio[i] != "" ? sprintf("{\"name\":%s,\"ratio\":%s,\"ratio_of_minima\":%s}", quote(title(i)), ratio[i], least[i]) : "null"
}
function run(i) {
	if (!measured(i)) return sprintf("{\"name\":%s,\"title\":%s,\"state\":%s}", quote(name[i]), quote(title(i)), quote(median[i]))
	return sprintf("{\"name\":%s,\"title\":%s,\"median\":%s,\"min\":%s,\"max\":%s,\"runs\":%d%s}",
		quote(name[i]), quote(title(i)), median[i], low[i], high[i], runs[i],
		ratio[i] == "" ? "" : sprintf(",\"ratio\":%s,\"ratio_of_minima\":%s", ratio[i], least[i]))
}
function show(   i) {
	printf "%s\n  {\"id\":%s,\"question\":%s,\"work\":%s,\"unit\":%s,\"shown_in\":%s,\"amount\":%s,\"best_peer\":%s,\"bare_loop\":%s,\"runs\":[",
		(count++ ? "," : ""), quote(id), quote(question), quote(work), quote(raw()), quote(unit), amount, against(peer), against(loop)
	for (i = 1; i <= n; i++) printf "%s%s", (i > 1 ? "," : ""), run(i)
	printf "]}"
}
function end() { }
