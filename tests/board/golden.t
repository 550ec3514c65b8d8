#!/bin/sh
# The golden boards: of both byte orders, whole and damaged. Other readers can be tried on them.
. "${0%/*}/../tap.sh"

golden=$room/golden
while IFS='|' read -r name status text; do
	run box mmapr -1J "$golden/$name.board"
	is "mmapr reads $name" "$status $text" "$rc $out"
done <"$golden/list"

if command -v python3 >/dev/null; then
	mkdir made
	ok "the golden boards are made from the description" python3 "$room/golden.py" made
	is 'the golden boards are those that the description makes' '' "$(diff -r made "$golden")"
	cat >same.py <<-'END2'
		import json, sys
		print('same' if json.loads(sys.argv[1]) == json.loads(sys.argv[2]) else sys.argv[2])
	END2
	while IFS='|' read -r name status text; do
		run python3 "$top/examples/board.py" "$golden/$name.board"
		is "board.py exits with $status for $name" "$status" "$rc"
		[ "$status" != 0 ] || is "board.py reads $name" same "$(python3 same.py "$text" "$out")"
	done <"$golden/list"
	# A writer of --emit-c goes on with a board of an earlier boot, and can be at each slot that is looked at.
	cat >busy.py <<-'END2'
		import sys
		sys.path.insert(0, sys.argv[1])
		import board
		class Busy(board.Board):
		    looks = 0
		    def slot(self, number):
		        self.looks += 1
		        copy = super().slot(number)
		        return copy[:1] + (copy[1] ^ (self.looks <= self.nslots),) + copy[2:]
		    def seq(self):
		        return super().seq() + self.looks
		print(Busy(sys.argv[2]).latest()[2])
	END2
	run env PYTHONDONTWRITEBYTECODE=1 python3 busy.py "$top/examples" "$golden/little-earlier-boot.board"
	is 'board.py looks again where a writer has changed each slot of a board of an earlier boot' '0 5 ' "$rc $out $err"
	cat >still.py <<-'END2'
		import sys
		sys.path.insert(0, sys.argv[1])
		import board
		class Still(board.Board):
		    def wait(self, number):
		        sys.exit(number != self.seq())
		board.Board = Still
		board.follow(sys.argv[2])
	END2
	run env PYTHONDONTWRITEBYTECODE=1 python3 still.py "$top/examples" "$golden/little-earlier-boot.board"
	is 'board.py -f waits for the next number where seq does not name the newest record' '0 ' "$rc $err"
	run python3 "$top/examples/board.py" missing
	is 'board.py is exit 3 where there is no file' '3 nothing is published yet: there is no such file' "$rc $err"
	run python3 "$top/examples/board.py" .
	like 'board.py is exit 1 where the file cannot be read' '1 *Is a directory*' "$rc $err"
	python3 "$top/examples/board.py" -f coming >seen 2>&1 & PIDS="$PIDS $!"
	for id in 1 2; do
		box mmapw coming id=$id
		ok "board.py -f shows record $id of a file that comes later" wait_for grep -q "\"id\":$id," seen
		rm coming
	done
else
	skip 'the golden boards are those that the description makes' 'no python3'
fi
