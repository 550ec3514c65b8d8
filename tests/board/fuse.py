"""fuse.py DIR [direct] [posix=ERRNO] [locks=ERRNO] - a file system in memory, by FUSE, for fuse.t

direct        each file is opened with FOPEN_DIRECT_IO, so that no shared mapping is possible
posix=ERRNO   fcntl(2)'s locks fail with ERRNO; flock(2) is the kernel's
locks=ERRNO   both kinds of locks fail with ERRNO

It speaks the kernel's protocol itself (linux/fuse.h, version 7.31), because libfuse hides these
errors. It serves one directory of regular files until it is unmounted.

SPDX-License-Identifier: 0BSD
"""
import ctypes
import os
import stat
import struct
import sys

ENOENT, EEXIST, EINVAL, ENODEV, ENOSYS = 2, 17, 22, 19, 38
(LOOKUP, FORGET, GETATTR, SETATTR, UNLINK, RENAME, OPEN, READ, WRITE, RELEASE, INIT, OPENDIR, READDIR,
 RELEASEDIR, GETLK, SETLK, SETLKW, CREATE, INTERRUPT, BATCH_FORGET) = (
    1, 2, 3, 4, 10, 12, 14, 15, 16, 18, 26, 27, 28, 29, 31, 32, 33, 35, 36, 42)
POSIX_LOCKS, FLOCK_LOCKS, DIRECT_IO, ROOT = 1 << 1, 1 << 10, 1, 1

where = sys.argv[1]
options = dict(word.partition("=")[::2] for word in sys.argv[2:])
flags = (POSIX_LOCKS if "posix" in options else 0) \
    | (POSIX_LOCKS | FLOCK_LOCKS if "locks" in options else 0)
lock_error = int(options.get("posix") or options.get("locks") or 0)
open_out = struct.pack("=QII", 0, DIRECT_IO if "direct" in options else 0, 0)


class File:
    def __init__(self, mode, uid=0, gid=0):
        self.mode, self.uid, self.gid, self.data = mode, uid, gid, bytearray()


files = {ROOT: File(stat.S_IFDIR | 0o755)}  # by the number of the node
names = {}                                  # number by name


class Refused(Exception):
    """Its argument is the errno that the kernel gets."""


def attributes(node):
    f = files[node]
    return struct.pack("=6Q10I", node, len(f.data), (len(f.data) + 511) // 512, 0, 0, 0, 0, 0, 0,
                       f.mode, 1, f.uid, f.gid, 0, 4096, 0)


def entry(node):
    return struct.pack("=4Q2I", node, 0, 0, 0, 0, 0) + attributes(node)


def texts(body):
    return body.split(b"\0")[:-1]


def number_of(name):
    if name not in names:
        raise Refused(ENOENT)
    return names[name]


def set_attributes(node, body):
    valid, _, _, size = struct.unpack_from("=IIQQ", body)
    mode, _, uid, gid = struct.unpack_from("=4I", body, 68)
    f = files[node]
    if valid & 1:
        f.mode = stat.S_IFMT(f.mode) | stat.S_IMODE(mode)
    f.uid = uid if valid & 2 else f.uid
    f.gid = gid if valid & 4 else f.gid
    if valid & 8:
        f.data = f.data[:size] + bytes(size - len(f.data[:size]))


def create(body, uid, gid):
    _, mode = struct.unpack_from("=II", body)
    name, node = texts(body[16:])[0], max(files) + 1
    if name in names:
        raise Refused(EEXIST)
    files[node], names[name] = File(mode, uid, gid), node
    return node


def write(node, body):
    _, offset, size = struct.unpack_from("=QQI", body)
    data = files[node].data
    data.extend(bytes(max(0, offset + size - len(data))))
    data[offset:offset + size] = body[40:40 + size]
    return struct.pack("=II", size, 0)


def directory(body):
    _, offset, size = struct.unpack_from("=QQI", body)
    out = b""
    for n, name in enumerate(sorted(names), 1):
        one = struct.pack("=QQII", names[name], n, len(name), 8) + name
        one += bytes(-len(one) % 8)
        if n > offset and len(out) + len(one) <= size:
            out += one
    return out


def answer(opcode, node, uid, gid, body):
    """The body of the answer."""
    if opcode == INIT:
        return struct.pack("=4IHHIIHHI7I", 7, 31, 0, flags, 0, 0, 1 << 16, 1, 0, 0, 0, *[0] * 7)
    if opcode == LOOKUP:
        return entry(number_of(texts(body)[0]))
    if opcode in (GETATTR, SETATTR):
        if opcode == SETATTR:
            set_attributes(node, body)
        return struct.pack("=QII", 0, 0, 0) + attributes(node)
    if opcode == CREATE:
        made = create(body, uid, gid)
        return entry(made) + open_out
    if opcode in (OPEN, OPENDIR):
        return open_out if opcode == OPEN else bytes(16)
    if opcode == READ:
        _, offset, size = struct.unpack_from("=QQI", body)
        return bytes(files[node].data[offset:offset + size])
    if opcode == WRITE:
        return write(node, body)
    if opcode == READDIR:
        return directory(body)
    if opcode == UNLINK:
        number_of(texts(body)[0])
        del names[texts(body)[0]]
        return b""
    if opcode == RENAME:
        old, new = texts(body[8:])
        names[new] = number_of(old)
        del names[old]
        return b""
    if opcode in (GETLK, SETLK, SETLKW):
        raise Refused(lock_error)
    if opcode in (RELEASE, RELEASEDIR):
        return b""
    raise Refused(ENOSYS)


def serve(device):
    while True:
        try:
            request = os.read(device, 1 << 17)
        except OSError as e:
            if e.errno == ENODEV:  # it was unmounted
                return
            continue
        _, opcode, unique, node, uid, gid = struct.unpack_from("=IIQQII", request)
        if opcode in (FORGET, BATCH_FORGET, INTERRUPT):
            continue
        try:
            error, body = 0, answer(opcode, node, uid, gid, request[40:])
        except Refused as e:
            error, body = e.args[0], b""
        try:
            os.write(device, struct.pack("=IiQ", 16 + len(body), -error, unique) + body)
        except OSError:  # nobody waits for the answer any more
            pass


device = os.open("/dev/fuse", os.O_RDWR)
if ctypes.CDLL(None, use_errno=True).mount(
        b"ipcbox", where.encode(), b"fuse", 0,
        b"fd=%d,rootmode=40000,user_id=0,group_id=0,allow_other" % device):
    sys.exit(f"fuse.py: can't mount: {os.strerror(ctypes.get_errno())}")
serve(device)
