#!/bin/sh
# These tests check the filter itself: the other tests of this folder rely on it.
. "${0%/*}/../tap.sh"
. "$room/missing.sh"

touch file
run "$without" EPERM unlink,unlinkat rm file
like 'a call that is missing fails with the error that was asked for' '1 *Operation not permitted*' "$rc $err"
run "$without" EINVAL unlink,unlinkat rm file
like 'a call that is missing fails with another error if that was asked for' '1 *Invalid argument*' "$rc $err"
run "$without" ENOSYS execve,execveat true
is 'the command itself is executed where exec is missing' 0 "$rc"
run "$without" ENOSYS execve,execveat sh -c 'true & /bin/true'
like 'the children of the command cannot execute anything where exec is missing' '12[67] *' "$rc $err"
run "$without" ENOSYS 'openat:2&O_DIRECTORY,open:1&O_DIRECTORY' sh -c 'ls / ; cat /dev/null && echo opened'
like 'an operation is missing by the bits of an argument' '*not implemented* opened*' "$err $out"
run "$without" ENOSYS 'kill:0<0' sh -c 'kill -0 -$$; kill -0 $$ && echo sent'
like 'an operation is missing by the sign of an argument' '*not implemented* sent' "$err $out"
run "$without" ENOSYS 'fcntl:1=F_DUPFD_CLOEXEC,fcntl:1=F_DUPFD' sh -c 'exec 3>&1 >/dev/null'
like 'an operation is missing by the value of an argument' '[12] *' "$rc $err"
run "$without" SIGSYS mkdir mkdir new
is 'SIGSYS kills the process that makes the call' 159 "$rc"
run "$without" ENOSYS nosuchcall,getpid true
is 'a call that this machine never had is no error' 0 "$rc"
ok 'calls_of names the calls of a command' sh -c 'echo "$0" | grep -qx write' "$(calls_of echo x)"
