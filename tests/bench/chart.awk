# chart.awk - draws the results as one SVG, a chart for each question; see results.awk
#
# $CAPTION is the line about the machine. page.awk calls chart() for a page with tables. The colours
# differ in brightness, too, so that a print without colours shows which bar is whose.
#
# SPDX-License-Identifier: 0BSD
function escaped(s) { gsub(/&/, "\\&amp;", s); gsub(/</, "\\&lt;", s); gsub(/>/, "\\&gt;", s); return s }
function label(x, y, size, more, s) {
	return sprintf("<text x=\"%d\" y=\"%d\" font-size=\"%s\"%s>%s</text>\n", x, y, size, more, escaped(s))
}
function line(x1, y1, x2, y2, colour) {
	return sprintf("<line x1=\"%.1f\" y1=\"%d\" x2=\"%.1f\" y2=\"%d\" stroke=\"%s\"/>\n", x1, y1, x2, y2, colour)
}
# whisker goes over bars, of which ours is dark: white on both sides of it sets it off.
function whisker(from, to, y,   d, s) {
	d = sprintf("M%.1f %dV%dM%.1f %dV%dM%.1f %dH%.1f", from, y + 4, y + 13, to, y + 4, y + 13, from, y + 8, to)
	s = "<path d=\"" d "\" fill=\"none\" stroke="
	return s "\"#fff\" stroke-width=\"4\"/>\n" s "\"#000\" stroke-width=\"1.4\"/>\n"
}
function box(x, y, w, h, i) {
	return sprintf("<rect x=\"%.1f\" y=\"%d\" width=\"%.1f\" height=\"%d\" fill=\"%s\" stroke=\"%s\"/>\n", x, y, w, h,
		is_bare(i) ? "#fff" : is_ours(i) ? "#1f77b4" : "#c9d3dc", is_bare(i) ? "#333" : is_ours(i) ? "#1f77b4" : "#c9d3dc")
}
function least_of(i) { return is_rate() ? amount_of(high[i]) : amount_of(low[i]) }
function most_of(i) { return is_rate() ? amount_of(low[i]) : amount_of(high[i]) }
# step VALUE returns 1, 2 or 5 times a power of ten, so that four to ten steps reach VALUE.
function step(v,   s) {
	if (v <= 0) return 1
	for (s = 1; s * 4 > v; s /= 10) ;
	for (; s * 40 <= v; s *= 10) ;
	return s * 20 <= v ? s * 5 : s * 8 <= v ? s * 2 : s
}
function wider(step) { return sprintf("%.0e", step) ~ /^2/ ? step * 2.5 : step * 2 }
function short(v) { return v >= 1000 ? number(v) : sprintf("%g", v) }
function bar(i, y,   from, to, right, s) {
	s = label(LEFT - 10, y + 13, 14, " text-anchor=\"end\"" (is_ours(i) ? " font-weight=\"bold\"" : ""), title(i))
	s = s box(LEFT, y, amount_of(median[i]) * scale, 17, i)
	from = LEFT + least_of(i) * scale
	to = LEFT + most_of(i) * scale
	if (runs[i] > 1)
		s = s whisker(from, to, y)
	right = LEFT + amount_of(median[i]) * scale
	if (to > right) right = to
	return s label(right + 8, y + 13, 14, is_ours(i) ? " font-weight=\"bold\"" : "", number(amount_of(median[i])) once(i))
}
# chart Y returns the SVG of this question from Y on, and sets tall to its height.
function chart(y,   i, top, most, tick, s, rows, x) {
	LEFT = 230; WIDTH = 400; most = 0
	for (i = 1; i <= n; i++)
		if (measured(i)) { rows++; if (most_of(i) > most) most = most_of(i) }
	scale = most > 0 ? WIDTH / most : 1
	s = label(12, y + 20, 18, " font-weight=\"bold\"", question)
	s = s label(12, y + 41, 14, " fill=\"#333\"", work)
	s = s label(12, y + 60, 14, " fill=\"#333\"", units() ": " direction())
	top = y + 72
	tick = step(most)
	while (tick * scale < 8.5 * length(short(most)) + 8) tick = wider(tick) # or the numbers would touch
	for (x = 0; x <= most * 1.0001; x += tick)
		s = s line(LEFT + x * scale, top, LEFT + x * scale, top + rows * 25 + 4, x ? "#ddd" : "#333") \
			label(LEFT + x * scale, top + rows * 25 + 20, 13, " text-anchor=\"middle\" fill=\"#333\"", short(x))
	for (i = 1; i <= n; i++)
		if (measured(i)) { s = s bar(i, top + 4); top += 25 }
	tall = top + 32 - y
	return s
}
function sample(x, y, i, s) { return box(x, y - 12, 14, 14, i) label(x + 20, y, 14, "", s) }
function legend(y,   s) {
	name[1] = "ipcbox"; name[2] = "cp"; name[3] = "bare_"
	s = sample(12, y, 1, "ipcbox") sample(102, y, 2, "other tools") sample(222, y, 3, "bare loop: the same system calls, in C")
	return s label(12, y + 24, 14, "", "The bar is the median, the line goes from the best to the worst run.")
}
function head(tall) {
	return sprintf("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 800 %d\" width=\"800\" height=\"%d\" " \
		"font-family=\"DejaVu Sans, Arial, Helvetica, sans-serif\"><rect width=\"800\" height=\"%d\" fill=\"#fff\"/>\n", tall, tall, tall)
}
function captions(y,   part, k, i, s) {
	k = split(ENVIRON["CAPTION"], part, "\n")
	for (i = 1; i <= k; i++) s = s label(12, y + 19 * i, 14, "", part[i])
	captioned = 19 * k
	return s
}
