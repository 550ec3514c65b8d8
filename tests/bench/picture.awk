# picture.awk - prints one SVG with all charts, one below the other; see chart.awk
#
# SPDX-License-Identifier: 0BSD
function show() {
	if (n < 2) return
	drawn = drawn chart(down)
	down += tall + 22
}
function end(   s) {
	s = label(12, 30, 22, " font-weight=\"bold\"", "ipcbox beside other tools") captions(36)
	print "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
	print head(down + captioned + 104) s legend(captioned + 66)
	print "<g transform=\"translate(0 " captioned + 108 ")\">"
	print drawn "</g>\n</svg>"
}
