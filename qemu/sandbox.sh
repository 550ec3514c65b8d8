#!/bin/sh
# sandbox.sh DIR [CMD...] - run CMD as the default profile of Docker would let it run
#
# That profile lets harmless calls through and refuses the others with EPERM, but clone3 with ENOSYS,
# so that a libc calls clone instead (https://docs.docker.com/engine/security/seccomp/, "Significant
# syscalls blocked by the default profile"). Root keeps the capabilities that a container has.
# Without CMD the exit status says whether this machine can do so. sandbox.sh puts the program that
# sets the filter into DIR.
#
# SPDX-License-Identifier: 0BSD
set -eu
here=$(realpath "${0%/*}") dir=$1
shift
without=$dir/without
if [ ! -x "$without" ]; then
	echo '#include <sys/syscall.h>' | cc -E -dM - | sed -n 's/^#define __NR_\([a-z0-9_]*\) .*/CALL(\1)/p' >"$dir/calls.h"
	cc -O1 -I"$dir" -o "$without.new" "$here/../tests/missing/without.c"
	mv "$without.new" "$without"
fi

refused=acct,add_key,bpf,clock_adjtime,clock_settime,delete_module,fanotify_init,finit_module,fsconfig
refused=$refused,fsmount,fsopen,fspick,get_mempolicy,init_module,io_uring_enter,io_uring_register
refused=$refused,io_uring_setup,ioperm,iopl,kcmp,kexec_file_load,kexec_load,keyctl,lookup_dcookie,mbind
refused=$refused,mount,mount_setattr,move_mount,move_pages,nfsservctl,open_by_handle_at,open_tree
refused=$refused,perf_event_open,pidfd_getfd,pivot_root,process_madvise,quotactl,quotactl_fd,reboot
refused=$refused,request_key,set_mempolicy,set_mempolicy_home_node,setdomainname,sethostname,setns
refused=$refused,settimeofday,stime,swapoff,swapon,sysfs,_sysctl,syslog,umount,umount2,unshare,uselib
refused=$refused,userfaultfd,ustat,vhangup,vm86,vm86old
# The filter refuses the flags of clone for new namespaces, NEWNS NEWCGROUP NEWUTS NEWIPC NEWUSER
# NEWPID NEWNET, and socket with AF_VSOCK, which is 40.
for flag in 0x20000 0x2000000 0x4000000 0x8000000 0x10000000 0x20000000 0x40000000; do
	refused="$refused,clone:0&$flag"
done
refused=$refused,socket:0=40

root=
if [ "$(id -u)" = 0 ]; then
	kept=-all
	for cap in chown dac_override fowner fsetid kill setgid setuid setpcap net_bind_service net_raw sys_chroot \
		mknod audit_write setfcap; do
		kept=$kept,+$cap
	done
	root="setpriv --bounding-set $kept --inh-caps -all"
fi
[ $# -gt 0 ] || set -- true
# shellcheck disable=SC2086 # words
exec $root "$without" EPERM "$refused" "$without" ENOSYS clone3 "$@"
