# report.awk - prints the results as a table, as JSON, or as the bars of the picture
#
# -v form=table|json|bars
# SPDX-License-Identifier: 0BSD
function text(v) {
	if (unit == "bytes") return sprintf("%d", v)
	if (unit == "count") return sprintf("%.4g", v)
	if (v < 1e3) return sprintf("%.3g ns", v)
	if (v < 1e6) return sprintf("%.3g us", v / 1e3)
	if (v < 9995e5) return sprintf("%.3g ms", v / 1e6)
	return sprintf("%.3g s", v / 1e9)
}
function quote(s) { gsub(/["\\]/, "\\\\&", s); return "\"" s "\"" }
function spread(i) {
	if (med[i] !~ /^[0-9]/) return med[i]
	if (runs[i] == 1) return text(med[i]) " (1 run)"
	return text(med[i]) " (" text(low[i]) " .. " text(high[i]) ")"
}
function finish(   i, us, them, r) {
	us = them = 0
	for (i = 1; i <= n; i++) {
		if (med[i] !~ /^[0-9]/) continue
		if (name[i] == "ipcbox") us = i
		else if (against == name[i] || (against == "best" && (!them || med[i] < med[them]))) them = i
	}
	r = !us ? -1 : against == "alone" ? med[us] : them && med[them] > 0 ? med[us] / med[them] : -1
	verdict = r < 0 ? "unknown" : r <= target ? "met" : "missed"
	if (form == "table") {
		printf "%-3s %s\n", id, work
		if (us && against == "alone")
			printf "      %-14s %-34s        <= %-8s %s\n", "ipcbox", spread(us), text(target), verdict
		else if (us)
			printf "      %-14s %s\n", "ipcbox", spread(us)
		for (i = 1; i <= n; i++) {
			if (i == us) continue
			if (med[i] !~ /^[0-9]/) {
				printf "      %-14s %s\n", name[i], med[i]
				continue
			}
			printf "      %-14s %-34s", name[i], spread(i)
			if (us && med[i] > 0) printf " %6.2f", med[us] / med[i]
			if (i == them) printf " <= %-8s %s", target, verdict
			print ""
		}
	} else if (form == "bars" && r >= 0 && target > 0) {
		printf "\"%s%s\" %.4g %s\n", id, (seen[id]++ ? sprintf("%c", 96 + seen[id]) : ""), r / target,
			(verdict == "met" ? "0x2e8b57" : "0xc0392b")
	} else if (form == "json") {
		printf "%s\n  {\"id\":%s,\"work\":%s,\"unit\":%s,\"target\":%s,\"against\":%s,\"ratio\":%s,\"verdict\":%s,\"runs\":[",
			(count++ ? "," : ""), quote(id), quote(work), quote(unit), target,
			quote(them ? name[them] : against),
			(r < 0 || against == "alone" ? "null" : sprintf("%.4g", r)), quote(verdict)
		for (i = 1; i <= n; i++)
			if (med[i] !~ /^[0-9]/)
				printf "%s{\"name\":%s,\"state\":%s}", (i > 1 ? "," : ""), quote(name[i]), quote(med[i])
			else
				printf "%s{\"name\":%s,\"median\":%s,\"min\":%s,\"max\":%s,\"runs\":%d}", (i > 1 ? "," : ""),
					quote(name[i]), med[i], low[i], high[i], runs[i]
		printf "]}"
	}
	n = 0
}
NR > 1 && $1 $2 != key { finish() }
{
	key = $1 $2; id = $1; work = $2; unit = $3; target = $4; against = $5
	name[++n] = $6; med[n] = $7; low[n] = $8; high[n] = $9; runs[n] = $10
}
END { if (n) finish() }
