# table.awk - prints each question with its tools as a table for a terminal; see results.awk
#
# SPDX-License-Identifier: 0BSD
function row(i) {
	printf "   %s %-26s", is_ours(i) ? "*" : " ", title(i)
	if (!measured(i)) { print " " median[i]; return }
	printf " %11s %11s %11s", number(amount_of(median[i])), number(amount_of(low[i])), number(amount_of(high[i]))
	if (!is_ours(i) && ratio[i] != "")
		printf "  %6.2f %6.2f  %s%s", ratio[i], least[i], standing(i), role(i) ? ", " role(i) : ""
	print once(i)
}
function show(   i) {
	printf "\n%s  %s\n", id, question
	printf "    %s; %s, %s\n", work, units(), direction()
	if (n == 1) { printf "   * %-38s %11s\n", ours, measured(1) ? number(amount_of(median[1])) : median[1]; return }
	printf "     %-26s %11s %11s %11s  %s\n", "", "median", "best run", "worst run", "our time / its"
	for (i = 1; i <= n; i++) row(i)
}
function end() { }
