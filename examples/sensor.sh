#!/bin/sh
# sensor.sh BOARD - publish what a sensor says in a board, from shell
#
# Each reader sees the latest reading whole, however many they are and however slow. The sensor here
# is the load of this machine; write your own into sensor().
#
# SPDX-License-Identifier: 0BSD
sensor() { cut -d' ' -f1 /proc/loadavg; }

while sleep "${INTERVAL:-1}" && value=$(sensor); do
	echo "load=$value unit=load"
done | mmapw --schema load:f64,unit:str8 "${1:?usage: sensor.sh BOARD}" -
