# lib.sh - the functions that the scripts of this directory share; each begins with . "${0%/*}/lib.sh"
# shellcheck shell=sh disable=SC2034 # the scripts use the variables
#
# SPDX-License-Identifier: 0BSD

here=${0%/*}
cache=${XDG_CACHE_HOME:-$HOME/.cache}/ipcbox
LC_ALL=C
export LC_ALL

die() { echo "${0##*/}: $*" >&2; exit 1; }

# lines KIND [NAME] prints the lines of that kind in the table, without the first word
lines() { awk -v kind="$1" -v name="${2-}" '$1 == kind && (name == "" || $2 == name) { $1 = ""; print substr($0, 2) }' "$here/targets"; }
names() { lines "$1" | cut -d' ' -f1; }

# set_arch NAME sets $arch $compiler $user $musl $flags
set_arch() {
	read -r arch compiler user musl flags <<-END
	$(lines arch "$1")
	END
	[ -n "$arch" ] || die "no architecture '$1': one of $(names arch | tr '\n' ' ')"
}

# set_board NAME sets the columns of the board, and those of its architecture
set_board() {
	read -r board tier suite kernel system cpus memory console options <<-END
	$(lines board "$1")
	END
	[ -n "$board" ] || die "no board '$1': one of $(names board | tr '\n' ' ')"
	set_arch "${board%%-*}"
}

# as_table prints records of judge.awk as a table for people
as_table() {
	awk 'BEGIN { form = "%-14s %-6s %-32s %6s %-6s %5s %5s %5s %5s %4s  %s\n"
		printf form, "target", "", "kernel", "page", "order", "pass", "fail", "xfail", "skip", "s", "" }
		{ printf form, $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11 == "-" ? "" : $11 }' | sed 's/ *$//'
}

# mark_expected NAME LOG appends the reason to each failure of LOG that EXPECTED has a reason for
mark_expected() {
	[ -e "$here/EXPECTED" ] || return 0
	awk -v t="$1" -v expected="$here/EXPECTED" '
		BEGIN {
			any = t ~ /-user$/ ? "user" : t
			while ((getline line <expected) > 0) {
				if (line !~ /^[^#][^ ]* not ok: / || split(line, part, / [|] /) < 2 ||
					!index(" " part[2] " ", " " t " ") && !index(" " part[2] " ", " " any " ")) continue
				pattern = line; sub(/ .*/, "", pattern)
				reason[pattern] = part[1]; sub(/^[^ ]+ not ok: /, "", reason[pattern])
			}
		}
		/^not ok / {
			name = $4; sub(/\r$/, "", name)
			group = name; sub(/\.[^.]*$/, ".*", group)
			found = name in reason ? name : group in reason ? group : ""
			if (found != "" && !/ # EXPECTED /) { sub(/\r$/, ""); $0 = $0 " # EXPECTED " found ": " reason[found] }
		}
		{ print }' "$2" >"$2.new" && mv "$2.new" "$2"
}

# judge NAME SECONDS LOG [GUEST] writes the verdict to LOG's .result and stdout, failed cases to stderr
judge() {
	rc=0
	mark_expected "$1" "$3"
	awk -v name="$1" -v seconds="$2" -v guest="${4-}" -f "$here/judge.awk" "$3" >"${3%.log}.result" || rc=1
	as_table <"${3%.log}.result"
	[ $rc = 0 ] || {
		grep -v ' # EXPECTED ' "$3" | grep -B3 -A5 '^\(#   \)\{0,1\}not ok' | tail -n 40
		echo "--- the last 20 lines of $3:"
		tail -n 20 "$3"
	} | tr -d '\r' >&2
	return $rc
}

# verdict NAME WORD REASON writes the record of a target that did not run
verdict() { echo "$1 $2 - 0 - 0 0 0 0 0 $3" >"$OUT/qemu/$1.result"; }
# skipped NAME REASON WHY ends the script: a target of tier 2 cannot run here, and stderr says why
skipped() {
	verdict "$1" SKIP "$2"
	echo "$1: SKIP: $3" >&2
	exit 0
}
