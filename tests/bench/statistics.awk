# statistics.awk - prints name, median, min, max, runs of each name; the input has lines "name value",
# sorted by name and value
#
# SPDX-License-Identifier: 0BSD
function flush() {
	if (n) printf "%s %.10g %s %s %d\n", name, (v[int((n + 1) / 2)] + v[int(n / 2) + 1]) / 2, v[1], v[n], n
}
$1 != name { flush(); n = 0; name = $1 }
{ v[++n] = $2 }
END { flush() }
