# record.awk - print the record of judge.awk and what its log says about the machine as a JSON object
#
# -v record=WORDS -v date=DATE. The log may be empty.
#
# SPDX-License-Identifier: 0BSD
function quote(s) {
	gsub(/[^ -~]/, "?", s)
	gsub(/["\\]/, "\\\\&", s)
	return "\"" s "\""
}
function add(list, s) { return list (list == "" ? "" : ",") s }
{ sub(/\r$/, "") }
/^# ipcbox .* pipetest on / && version == "" { version = $3; machine = $8; sub(/,$/, "", machine) }
/^# Your kernel lacks these fixes:/ { lacks = 1; next }
!/^#   / { lacks = 0 }
lacks { fixes = add(fixes, quote(substr($0, 5))) }
# "pipe 2153 MB/s, round trip 5.31 us": each part ends with a number and its unit.
/^# Data sheet: / {
	n = split(substr($0, 15), part, ", ")
	for (i = 1; i <= n; i++) {
		k = split(part[i], word, " ")
		what = part[i]
		sub(/ [^ ]+ [^ ]+$/, "", what)
		if (k > 2 && word[k - 1] ~ /^[0-9.]+$/)
			sheet = add(sheet, sprintf("{\"what\":%s,\"value\":%s,\"unit\":%s}", quote(what), word[k - 1], quote(word[k])))
	}
}
END {
	split(record, r, " ")
	printf "{\"target\":%s,\"result\":%s,\"kernel\":%s,\"machine\":%s,\"page\":%d,\"order\":%s,\"version\":%s,\"date\":%s,",
		quote(r[1]), quote(tolower(r[2])), quote(r[3]), quote(machine), r[4], quote(r[5]), quote(version), quote(date)
	printf "\"pass\":%d,\"fail\":%d,\"xfail\":%d,\"skip\":%d,\"seconds\":%d,\"reason\":%s,", r[6], r[7], r[8], r[9], r[10], quote(r[11])
	printf "\"missing_fixes\":[%s],\"data_sheet\":[%s]}", fixes, sheet
}
