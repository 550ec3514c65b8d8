#!/bin/sh
# collect.sh FIFO LOG - append the messages of any number of writers to LOG
#
#   fifow FIFO 'a line'                    a writer
#   producer | fifow -N -E drop FIFO -     a writer that must never wait: it drops and counts
#
# The collector may end, or be replaced by a new version: the outer fifor keeps the FIFO open, so that
# no writer fails and nothing that waits in the FIFO is lost. kill -TERM of collect.sh ends both.
#
# SPDX-License-Identifier: 0BSD
fifo=${1:?usage: collect.sh FIFO LOG} log=${2:?usage: collect.sh FIFO LOG}

# shellcheck disable=SC2016 # the inner shell expands $1 and $2
exec fifor --hold --create "$fifo" -- sh -c '
	trap "kill \$pid 2>/dev/null; exit 143" TERM INT
	while :; do
		fifor --output=plain "$1" >>"$2" & pid=$!
		wait $pid
		sleep 0.2
	done' collect "$fifo" "$log"
