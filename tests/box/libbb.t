#!/bin/sh
# What libbb does itself, beside the tools that do the same. Needs a compiler and the source.
LIMIT=60
. "${0%/*}/../tap.sh"

if ! command -v cc >/dev/null; then
	skip 'libbb agrees with libc' 'no compiler'
	exit
fi
src=$top
touch texts.z.h config.h applets.h
echo 'enum { TEXT_box };' >texts.h
ok 'libbb builds against the host libc' cc -w -O1 -D_GNU_SOURCE -D_FILE_OFFSET_BITS=64 -I. -I"$src/libbb" -I"$src/applets/board" -o libbb \
	"$room/libbb.c" "$src"/libbb/printf.c "$src"/libbb/messages.c "$src"/libbb/text.c "$src"/libbb/full_io.c \
	"$src"/libbb/xfuncs.c "$src"/applets/board/decimal.c "$src"/libbb/inflate.c
./libbb printf >lines
is 'scnprintf cuts a text that is too long, xasprintf and xprintf do not' '0 3 307206' "$? $(wc -l <lines) $(wc -c <lines)"
ok 'a float is printed with the fewest digits that read back the same' ./libbb decimal 100000

# One literal; few; a code of every length; long matches; what cannot be compressed well.
printf a >one
printf 'aaaaaaaaaaaaaaaaaaaaaaaabaaaaaaaaaaaa' >few
cat "$src/README" "$src"/libbb/*.c >text
awk 'BEGIN { for (i = 0; i < 20000; i++) print i % 7 ? "the same line" : i * i }' >matches
for f in one few text matches; do
	gzip -9n <"$f" | ./libbb inflate "$(wc -c <"$f")" >out
	ok "inflate undoes what gzip did to $f" cmp "$f" out
done
