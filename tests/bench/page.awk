# page.awk - prints a page with a chart and its table for each question; see chart.awk
#
# SPDX-License-Identifier: 0BSD
function cell(s) { return "<td>" escaped(s) "</td>" }
function row(i,   s) {
	s = "<tr" (is_ours(i) ? " class=\"ours\"" : "") "><th>" escaped(title(i)) "</th>"
	if (!measured(i)) return s "<td colspan=\"6\">" escaped(median[i]) "</td></tr>\n"
	s = s cell(number(amount_of(median[i]))) cell(number(amount_of(low[i]))) cell(number(amount_of(high[i])))
	if (is_ours(i) || ratio[i] == "") return s "<td></td><td></td>" cell(once(i)) "</tr>\n"
	return s cell(sprintf("%.2f", ratio[i])) cell(sprintf("%.2f", least[i])) cell(standing(i) (role(i) ? ", " role(i) : "") once(i)) "</tr>\n"
}
function table(   i, s) {
	s = "<table><tr><th>" escaped(units()) "</th><th>median</th><th>best run</th><th>worst run</th>" \
		"<th>our time / its,<br>of the pairs</th><th>our time / its,<br>of best runs</th><th></th></tr>\n"
	for (i = 1; i <= n; i++) s = s row(i)
	return s "</table>"
}
function show(   picture) {
	if (n < 2) {
		single = single "<tr><th>" escaped(question) "</th>" cell(measured(1) ? number(amount_of(median[1])) " " (unit == "count" ? "" : unit) : median[1]) cell(work) "</tr>\n"
		return
	}
	picture = chart(0)
	drawn = drawn "<section>" head(tall) picture "</svg>\n" table() "</section>\n"
}
function end(   s) {
	print "<!DOCTYPE html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">"
	print "<title>ipcbox beside other tools</title>\n<style>"
	print "body { font: 15px/1.4 \"DejaVu Sans\", Arial, Helvetica, sans-serif; color: #000; background: #fff; margin: 0 auto; padding: 12px; max-width: 1500px }"
	print "section { display: flex; flex-wrap: wrap; gap: 8px 24px; align-items: center; border-top: 1px solid #bbb; padding: 12px 0; break-inside: avoid }"
	print "section svg { flex: 1 1 620px; max-width: 800px }\nsvg { max-width: 100%; height: auto }\ntable { border-collapse: collapse; font-size: 13px }"
	print "th, td { padding: 3px 6px; text-align: right; font-weight: normal } th:first-child { text-align: left }"
	print "tr:first-child th { vertical-align: bottom; border-bottom: 1px solid #333 } .ours th, .ours td { font-weight: bold }"
	print ".few td, .few th { text-align: left; border: 0 !important }\n</style>\n<h1>ipcbox beside other tools</h1>"
	s = escaped(ENVIRON["CAPTION"])
	gsub(/\n/, "<br>\n", s)
	print "<p>" s "</p>\n<p>The commands of a question take turns, and a ratio is that of the two runs of a turn:"
	print "our time divided by the time of the other, so that 0.50 is twice as fast as it. A bare loop makes the same"
	print "system calls in C and does nothing else. The best run shows what a quiet machine would do."
	print "Ahead and behind are said only if all runs of the one were faster than those of the other.</p>"
	print head(54) legend(20) "</svg>"
	print drawn (single != "" ? "<section><table class=\"few\">" single "</table></section>" : "") "</html>"
}
