#!/bin/sh
# hardening.sh BINARY OBJ - make check-hardening: a table of what protects a binary
#
# readelf tells of BINARY how it is loaded. The objects in OBJ tell of the stack protector: the binary
# has its function also where libc alone calls it. What the compiler weaves into the code shows in its
# flags alone, which the file compile.flags in OBJ has.
#
# SPDX-License-Identifier: 0BSD
set -eu
export LC_ALL=C
: "${READELF:=readelf}"
load=$($READELF -hldW "$1")
calls=$($READELF -sW "$2"/libbb/*.o)
flags=$(cat "$2/compile.flags")
shown() { case $1 in *"$2"*) return 0 ;; esac; return 1; }
row() { printf '  %-4s %-34s %s\n' "$1" "$2" "$3"; }
# says WORDS TEXT NAME MEANING - a row that says yes if TEXT has WORDS
says() { if shown "$2" "$1"; then row yes "$3" "$4"; else row no "$3" "$4"; fi; }
# lacks WORDS TEXT NAME MEANING - a row that says yes if TEXT does not have WORDS
lacks() { if shown "$2" "$1"; then row no "$3" "$4"; else row yes "$3" "$4"; fi; }

now=no
case $load in *BIND_NOW* | *'Flags: NOW'*) now=yes ;; esac
echo "$1"
lacks ' INTERP ' "$load" 'static' 'no loader and no library takes part'
says 'DYN (' "$load" 'position independent' 'each start has other addresses'
says GNU_RELRO "$load" 'relro' 'tables of pointers are read-only after the start'
if shown "$load" ' INTERP '; then row $now 'bind now' 'no table of functions stays writable'; fi
lacks 'RWE' "$(echo "$load" | grep -E '^  (LOAD|GNU_STACK)')" 'no page to write and to run' 'neither the stack nor data is code'
says ' UND __stack_chk_fail' "$calls" 'stack protector' 'a guard behind the arrays on the stack'
says -fstack-clash-protection "$flags" 'stack clash protection' 'no stack grows over its guard page'
says -ftrivial-auto-var-init=zero "$flags" 'zeroed variables' 'no variable shows what the stack held before'
