# tap.sh - TAP out of a shell script; the first line of each test is: . "${0%/*}/../tap.sh"
#
#   run CMD...              sets $rc $out $err; CMD runs under $LIMIT seconds (20)
#   is NAME EXPECTED GOT    the same text
#   like NAME GLOB GOT      the text matches the shell pattern
#   ok NAME CMD...          CMD exits with 0
#   skip NAME REASON
#   wait_for CMD...         until CMD succeeds, at most 10 seconds
#   box APPLET ARG...       the applet of $IPCBOX, by name as through a link
#   as_nobody APPLET ARG... as run box, for root: by another user, who may not see the tree
#   bg APPLET ARG...        the same in the background; sets $pid; killed at the end. A shell
#                           without job control lets it ignore SIGINT: send SIGTERM
#
# The test's own directory is $T, and the current one; it goes at the end. $room is the folder
# of the test's file, $top that of the source.

room=${0%/*}
case $room in /*) ;; *) room=$PWD/$room ;; esac
top=${room%/*/*}
: "${IPCBOX:=$top/ipcbox}" "${LIMIT:=20}"
T=$(mktemp -d "${TMPDIR:-/tmp}/ipcbox.XXXXXX") && cd "$T" || exit
N=0
PIDS=
trap 'kill $PIDS 2>/dev/null; rm -rf "$T"; echo "1..$N"' EXIT
trap 'exit 1' INT TERM

result() { N=$((N + 1)); echo "$1 $N - $2"; }
say() { printf '%s\n' "$@" | sed 's/^/#   /'; }
is() {
	if [ "$2" = "$3" ]; then result ok "$1"; else result 'not ok' "$1"; say expected: "$2" got: "$3"; fi
}
like() {
	# shellcheck disable=SC2254 # the pattern is the point
	case $3 in $2) result ok "$1" ;; *) result 'not ok' "$1"; say pattern: "$2" got: "$3" ;; esac
}
ok() {
	name=$1; shift
	"$@" >"$T/.ok" 2>&1 && { result ok "$name"; return; }
	set -- $? "$*"
	result 'not ok' "$name"; say "status $1 of: $2"; sed 's/^/#   /' "$T/.ok"
}
skip() { result ok "$1 # SKIP $2"; }
box() { $EMULATOR "$IPCBOX" "$@"; }
bg() { $EMULATOR "$IPCBOX" "$@" & pid=$! PIDS="$PIDS $!"; }
run() {
	case $1 in box) shift; set -- $EMULATOR "$IPCBOX" "$@" ;; esac
	timeout "$LIMIT" "$@" >"$T/.out" 2>"$T/.err"
	rc=$? out=$(cat "$T/.out") err=$(cat "$T/.err")
}
as_nobody() {
	cp "$IPCBOX" "$T/ipcbox.anyone" && chmod 755 "$T" "$T/ipcbox.anyone"
	run python3 -c 'import os, sys; os.setgroups([]); os.setgid(65534); os.setuid(65534)
os.execvp(sys.argv[1], sys.argv[1:])' $EMULATOR "$T/ipcbox.anyone" "$@"
}
wait_for() {
	tries=0
	until "$@" >/dev/null 2>&1; do
		tries=$((tries + 1)); [ $tries -lt 1000 ] || { say "in vain: $*"; return 1; }
		sleep 0.01
	done
}
