# pcopy.sh - the functions that the tests of this folder share
# shellcheck shell=sh
#
# A test reads this file after tap.sh: . "$room/pcopy.sh"
#
#   temporary          prints the path of the temporary file that $pid or its child has open; the
#                      path is in /proc, because the file may have no name (O_TMPFILE in open(2))
#   writes_some        succeeds if that file has bytes
#   no_temporary       succeeds if no temporary file is below this directory
#   locked FILE CMD... runs CMD while another process has FILE locked for writing
#   kept NAME          prints the name of the file that --resume keeps for the DST called NAME
#
# Some kernels lack what pcopy builds on, and pcopy then does less. Such a test asks for it first:
#
#   locks_show         succeeds if /proc/PID/fdinfo shows locks (proc(5)). Elsewhere pcopy takes no
#                      lock for a proof that another process is alive or dead.
#   nameless           succeeds if this directory takes a file without a name (O_TMPFILE in open(2))
#   sparse DIR         succeeds if a hole of a file in DIR takes no blocks, so that pcopy can find it
#   pages_leave        succeeds if the pages of a file here can leave the memory, so that a read
#                      comes from the medium. Pages of tmpfs stay.

temporary() {
	for process in $pid $(cat "/proc/$pid/task/$pid/children" 2>/dev/null); do
		for fd in "/proc/$process/fd"/*; do
			case $(readlink "$fd") in "$T"/*'(deleted)' | "$T"/*.pcopy-*) echo "$fd"; return ;; esac
		done
	done
	return 1
}
writes_some() { fd=$(temporary) && [ -s "$fd" ]; }
no_temporary() { [ -z "$(find . -name '.pcopy-*')" ]; }
locked() { python3 -c 'import fcntl, subprocess, sys
file = open(sys.argv[1], "r+b")
fcntl.lockf(file, fcntl.LOCK_EX)
sys.exit(subprocess.call(sys.argv[2:]))' "$@"; }
kept() { python3 -c 'import sys, zlib; print(".pcopy-%08x.resume" % zlib.crc32(sys.argv[1].encode()))' "$1"; }
locks_show() {
	python3 -c 'import fcntl, os, sys
fd = os.open(".", os.O_RDONLY)
fcntl.flock(fd, fcntl.LOCK_EX)
sys.exit("lock:" not in open("/proc/self/fdinfo/%d" % fd).read())'
}
nameless() { python3 -c 'import os; os.open(".", os.O_RDWR | os.O_TMPFILE)' 2>/dev/null; }
sparse() { truncate -s 1M "$1/.hole" && [ "$(stat -c %b "$1/.hole")" = 0 ] && rm "$1/.hole"; }
pages_leave() {
	python3 -c 'import ctypes, mmap, os, sys
fd = os.open(".page", os.O_RDWR | os.O_CREAT)
os.remove(".page")
os.write(fd, bytes(mmap.PAGESIZE))
os.fsync(fd)
os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
page = ctypes.c_char.from_buffer(mmap.mmap(fd, mmap.PAGESIZE))
there = ctypes.c_ubyte(1)
ctypes.CDLL(None).mincore(ctypes.byref(page), ctypes.c_size_t(mmap.PAGESIZE), ctypes.byref(there))
sys.exit(there.value & 1)'
}
