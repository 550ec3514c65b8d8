#!/bin/sh
# coverage.sh DIR - print how much of libbb and of the applets the tests run, by file and in all.
# DIR gets a build with gcov's counters, and the file "missed" with each line that no test ran.
set -eu
dir=$1
unset MAKEFLAGS MAKELEVEL
mkdir -p "$dir"
dir=$(cd "$dir" && pwd)
cd "${0%/*}/../.."

# exit(3) writes the counters: a process that ends in another way has to write them before.
cat >"$dir/flush.c" <<'END'
void __gcov_dump(void);
void __real__exit(int);
int __real_raise(int);
int __real_execvp(const char *, char **);
void __wrap__exit(int status) { __gcov_dump(); __real__exit(status); }
int __wrap_raise(int sig) { __gcov_dump(); return __real_raise(sig); }
int __wrap_execvp(const char *file, char **argv) { __gcov_dump(); return __real_execvp(file, argv); }
END
gcc -c -o "$dir/flush.o" "$dir/flush.c"
$MAKE -s O="$dir" defconfig
sed -i 's/.*CONFIG_DEBUG .*/CONFIG_DEBUG=y/' "$dir/.config"
$MAKE -s O="$dir" CC=gcc CFLAGS='--coverage -fprofile-update=atomic' \
	LDFLAGS="--coverage -Wl,--wrap=_exit -Wl,--wrap=raise -Wl,--wrap=execvp $dir/flush.o"
# The processes of other users write their counters, too. A test that fails only because of the
# counters is not reported here.
chmod -R a+rwX "$dir"
export IPCBOX="$dir/ipcbox" GCOV_ERROR_FILE=/dev/null

# gcov_of CMD... - print the lines that CMD ran, as gcov has them. A process that is killed while it
# adds to the counters ruins them, and the tests kill hundreds: each command begins with new ones.
gcov_of() {
	find "$dir" -name '*.gcda' -exec rm {} +
	"$@" >>"$dir/tests" 2>&1 || true
	find "$dir" -name '*.gcno' -exec gcov -t {} + 2>/dev/null
}
: >"$dir/tests"
{
	# Each process of each case adds to the files of the counters: with -m 10 the cases have time.
	gcov_of "$IPCBOX" pipetest -q -m 10
	for test in $(ls tests/*/*.t | grep -vE '/(build|bench|qemu)/|readme\.t'); do
		gcov_of prove -Q "$test"
	done
} | awk -v missed="$dir/missed" '
{ count = $1; sub(/:.*/, "", count); split($0, part, ":"); line = part[2] + 0 }
line == 0 && part[3] == "Source" { file = part[4]; next }
file !~ /^(applets|libbb)\/.*\.c$/ || count == "-" { next }
{ key = file ":" line }
!(key in text) { text[key] = substr($0, index($0, part[3])); keys[++total] = key; all[file]++ }
count !~ /^[#=]/ && !(key in done) { done[key]; run[file]++; ran++ }
END {
	for (i = 1; i <= total; i++) if (!(keys[i] in done)) print keys[i] ":" text[keys[i]] >missed
	for (file in all) printf "%5.1f %% of %4d  %s\n", 100 * run[file] / all[file], all[file], file | "sort -n"
	close("sort -n")
	printf "%5.1f %% of %d lines; the others: %s\n", 100 * ran / total, total, missed
	exit ran < 0.9 * total
}'
