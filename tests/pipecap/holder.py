"""holder.py DIR [FIFO] - hold the lock of a pipe, or of FIFO, through a page of FUSE, as the user nobody

It begins as root. It mounts a file system on DIR by fusermount3, and writes a page of its file into the pipe. Nobody
answers when the kernel asks for this page, and the kernel holds the pipe's lock meanwhile. It prints
the pipe's inode. strangers.t runs it.

The protocol is the kernel's (linux/fuse.h, version 7.31).

SPDX-License-Identifier: 0BSD
"""
import array
import mmap
import os
import socket
import stat
import struct
import subprocess
import sys

LOOKUP, FORGET, GETATTR, OPEN, READ, INIT, BATCH_FORGET = 1, 2, 3, 14, 15, 26, 42
ENOSYS, ROOT, FILE, NOBODY = 38, 1, 2, 65534
PAGE = mmap.PAGESIZE


def attributes(node):
    mode, size = (stat.S_IFDIR | 0o755, 0) if node == ROOT else (stat.S_IFREG | 0o644, PAGE)
    return struct.pack("=6Q10I", node, size, 1, 0, 0, 0, 0, 0, 0, mode, 1, os.getuid(), os.getgid(), 0, PAGE, 0)


def answer(opcode, node):
    if opcode == INIT:
        return struct.pack("=4IHHIIHHI7I", 7, 31, 0, 0, 0, 0, 1 << 16, 1, 0, 0, 0, *[0] * 7)
    if opcode == LOOKUP:
        return struct.pack("=4Q2I", FILE, 0, 0, 0, 0, 0) + attributes(FILE)
    if opcode == GETATTR:
        return struct.pack("=QII", 0, 0, 0) + attributes(node)
    return bytes(16) if opcode == OPEN else None


def serve(device):
    while True:
        try:
            _, opcode, unique, node = struct.unpack_from("=IIQQ", os.read(device, 1 << 17))
        except OSError:  # it was unmounted
            return
        if opcode in (FORGET, BATCH_FORGET, READ):
            continue
        body = answer(opcode, node)
        error = 0 if body is not None else -ENOSYS
        os.write(device, struct.pack("=IiQ", 16 + len(body or b""), error, unique) + (body or b""))


def mounted(where):
    """The descriptor of the file system's device, which fusermount3 sends (mount.fuse3(8))."""
    ours, theirs = socket.socketpair()
    mount = subprocess.run(["fusermount3", "-o", "fsname=ipcbox", "--", where], pass_fds=[theirs.fileno()],
                           env={**os.environ, "_FUSE_COMMFD": str(theirs.fileno())}, check=False)
    if mount.returncode:
        sys.exit(77)
    _, control, _, _ = ours.recvmsg(1, socket.CMSG_SPACE(4))
    return array.array("i", control[0][2][:4])[0]


where = sys.argv[1]
os.setgroups([])
os.setgid(NOBODY)
os.setuid(NOBODY)
device = mounted(where)
if os.fork():
    serve(device)
    sys.exit()
os.close(device)
pipe = os.open(sys.argv[2], os.O_RDWR) if len(sys.argv) > 2 else os.pipe()[1]
with open(where + "/page", "rb") as f:
    page = mmap.mmap(f.fileno(), PAGE, prot=mmap.PROT_READ)
print(os.fstat(pipe).st_ino, flush=True)
try:
    os.write(pipe, page)
except OSError:  # the server has ended
    pass
