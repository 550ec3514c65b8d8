#!/bin/sh
. "${0%/*}/../tap.sh"

# Programs in other languages read what fifow sends by default, and write what fifor reads by default.
printf 'one\n\ntwo words\n%01000d\n' 7 >wanted
mkfifo f

# reads LANGUAGE CMD...: CMD prints the lines that it reads from f
reads() {
	language=$1; shift
	command -v "$1" >/dev/null || { skip "$language reads the lines of fifow" "no $1"; return; }
	timeout 60 "$@" >got 2>err & reader=$!
	box fifow -t 30 f - <wanted
	wait $reader
	ok "$language reads the lines of fifow" cmp wanted got
}
# writes LANGUAGE CMD...: CMD writes lines of 200000, 3, 4095 and 3 bytes to f
writes() {
	language=$1; shift
	command -v "$1" >/dev/null || { skip "fifor reads the lines of $language" "no $1"; return; }
	bg fifor -o plain -e exit -t 30 f >got 2>err
	timeout 60 "$@" >/dev/null 2>&1
	wait "$pid"
	is "fifor reads the lines of $language" '200000 3 4095 3' "$(awk '{ print length($0) }' got | xargs)"
}

reads 'The read of a shell' sh -c 'while IFS= read -r line; do printf "%s\n" "$line"; done <f'
reads 'grep' grep '' f
reads 'Python' python3 -c 'import sys
for line in open("f"): sys.stdout.write(line)'
reads 'readline of Node' node -e 'require("readline").createInterface({ input: require("fs").createReadStream("f") })
.on("line", line => console.log(line))'
cat >Reads.java <<'EOF'
import java.io.*;
class Reads {
	public static void main(String[] args) throws IOException {
		BufferedReader in = new BufferedReader(new FileReader("f"));
		for (String line; (line = in.readLine()) != null; ) System.out.println(line);
	}
}
EOF
reads 'BufferedReader of Java' java Reads.java

# The printf of busybox writes the long line in pieces of PIPE_BUF bytes, each of which fifor may take
# for a message. With --frame=line it does not.
printf '%0200000d\n' 1 >long
writes 'echo and dd' sh -c 'exec >f; dd if=long bs=200001; echo one; printf "%04095d\n" 2; echo end'
eval "$(box pipecap -I --pairs)"
pieces() {
	for n in 1 2 3; do head -c "$pipe_buf" /dev/zero | tr '\0' x; sleep 0.1; done
	echo; echo end
}
bg fifor -F line -o plain -e exit -t 30 f >got 2>err
pieces >f
wait "$pid"
is 'fifor --frame=line prints a line that comes in pieces of PIPE_BUF bytes as one message' \
	"$((pipe_buf * 3)) 3" "$(awk '{ print length($0) }' got | xargs)"
writes 'Python' python3 -c 'with open("f", "w") as f:
    for n in 200000, 3, 4095, 3: print("x" * n, file=f)'
writes 'Node' node -e 'const out = require("fs").createWriteStream("f");
for (const n of [200000, 3, 4095, 3]) out.write("x".repeat(n) + "\n");
out.end()'
cat >Writes.java <<'EOF'
import java.io.*;
class Writes {
	public static void main(String[] args) throws IOException {
		try (PrintWriter out = new PrintWriter(new FileWriter("f"))) {
			for (int n : new int[] { 200000, 3, 4095, 3 }) out.println("x".repeat(n));
		}
	}
}
EOF
writes 'Java' java Writes.java
