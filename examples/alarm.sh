#!/bin/sh
# alarm.sh BOARD LIMIT - print each reading of the board that is over LIMIT, from shell
#
# The names of the fields come from the board, so --pairs puts a word before them: a board cannot
# set PATH. A reading that is older than five seconds is no reading: alarm.sh ends with 4 if the
# first one is, or if no writer lives.
#
# SPDX-License-Identifier: 0BSD
board=${1:?usage: alarm.sh BOARD LIMIT} limit=${2:?usage: alarm.sh BOARD LIMIT}

mmapr -1 --require-writer --max-age 5s "$board" >/dev/null || exit
mmapr --follow --pairs --prefix now_ "$board" | while read -r line; do
	eval "$line"
	awk -v value="$now_load" -v limit="$limit" 'BEGIN { exit !(value > limit) }' &&
		echo "$now_load $now_unit is over $limit"
done
