# sizes.awk - print the bytes of each applet, of libbb and of libc, out of the linker's map
#
# The file of an applet counts for the applet, another file of a folder for what the applets of the
# folder share. A text that several files have counts for the first of them. The sum is text + data of
# size(1).
function hex(s,  i, n) {
	for (i = 3; i <= length(s); i++) n = 16 * n + index("0123456789abcdef", substr(s, i, 1)) - 1
	return n
}
function owner(file) {
	if (file ~ /libbb\/texts\.o|libbb\.a\(texts\.o\)/) return "texts (help, rules), deflated"
	if (file ~ /libbb/) return "libbb"
	if (file ~ /applets\/pipetest\/cases/) return "pipetest: the cases"
	if (file ~ /applets\/pipetest\/bench/) return "pipetest: -b"
	if (sub(/.*applets\//, "", file)) {
		sub(/\.o$/, "", file)
		if (file ~ /\/(fifow|fifor|mmapw|mmapr)$/) { sub(/.*\//, "", file); return file }
		sub(/\/.*/, "", file)
		return file == "fifo" ? "fifow and fifor, what they share" : file == "board" ? "mmapw and mmapr, what they share" : file
	}
	return "libc"
}
# counts ADDRESS returns true if the output section "part" is in memory and comes from the file.
function counts(address) { return address ~ /[1-9a-f]/ && address !~ /^0x0*$/ && part !~ /^\.(bss|tbss)$/ }
/^Linker script and memory map/ { on = 1 }
!on { next }
/^\.[a-z]/ && NF == 1 { part = $1; next }
/^\.[a-z]/ { part = $1; if (counts($2)) all += hex($3) }
part != "" && /^ +0x/ { if (counts($1)) all += hex($2) }
{ part = "" }
/^ \.[a-z]/ && NF == 1 { section = $1; next }	# a long name: the rest is on the next line
/^ \.[a-z]/ { section = $1; at = 2 }
/^ +0x/ { at = 1 }
section ~ /^\.(text|rodata|data|init|fini|eh_frame|got)/ && $at ~ /^0x/ && $(at + 1) ~ /^0x/ && $(at + 2) ~ /\.(o|a)/ {
	size[owner($(at + 2))] += hex($(at + 1))
}
{ section = "" }
END {
	for (o in size) { printf "%8d  %s\n", size[o], o | "sort -rn"; all -= size[o]; sum += size[o] }
	close("sort -rn")
	printf "%8d  the linker: alignment and tables\n%8d  in all\n", all, sum + all
}
