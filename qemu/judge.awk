# judge.awk - print one record, in words, about a log of pipetest; exit 0 if all is well
#
# -v name=TARGET -v seconds=N -v guest=1 (the init of a guest must say how it ended). Only the output
# counts, for QEMU exits with 0 when the kernel panics, too. A log that passes has a
# header, a complete plan, totals that agree, its end, and no "not ok" but for those that EXPECTED
# has a reason for: lib.sh marks those lines, and they count as expected failures. A second header
# begins the measurements of the data sheet, which are no cases: only how the guest ended counts.
#
# SPDX-License-Identifier: 0BSD
{ sub(/\r$/, "") }
/^KTAP version 1$/ { header++ }
/^# ipcbox end rc=/ { rc = substr($0, 17) }
header != 1 { next }
/^1\.\.[0-9]+$/ { plan = substr($0, 4) + 0 }
/^# ipcbox .* pipetest on / { kernel = $7; bits = $9; order = $11 }
/^# page [0-9]+,/ { page = $3 + 0 }
/^ok / && / # SKIP / { skip++; seen++; next }
/^ok / && / # XFAIL / { xfail++; seen++; next }
/^ok / { pass++; seen++ }
/^not ok / && / # EXPECTED / { known++; seen++; next }
/^not ok / { fail++; seen++ }
# An ERROR of the harness is a "not ok", too.
/^# Totals:/ { totals = $0; error = $NF; sub(/error:/, "", error) }
END {
	sum = sprintf("# Totals: pass:%d fail:%d xfail:%d xpass:0 skip:%d error:%d", pass, fail + known - error, xfail, skip, error)
	why = "-"
	if (guest && rc == "") why = "no-end"
	if (rc != "" && rc != "0" && !(rc == "1" && known)) why = "rc=" rc # 1: a case failed
	if (totals != sum) why = "totals"
	if (seen != plan) why = "incomplete"
	if (fail) why = "not-ok"
	if (!plan) why = "no-plan"
	if (!header) why = "no-header"
	if (kernel == "") kernel = order = "-"
	print name, why == "-" ? "pass" : "FAIL", kernel, page + 0, order, pass + 0, fail + 0, xfail + known, skip + 0, seconds, why
	exit why != "-"
}
