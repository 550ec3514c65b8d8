# disk.py - a disk in memory that records each write and each flush, in order: a plugin of nbdkit(1)
#
# SPDX-License-Identifier: 0BSD
#
# Its parameters are log=FILE and size=BYTES. The log has a record for each write (W), each write of
# zeros (Z) and each flush (F): kind, offset and length as "<cQI" (struct in Python), and after a W
# its data. A write with FUA (forced unit access) is recorded as a write and a flush.
import builtins
import struct

import nbdkit

API_VERSION = 2
log = None
size = 0
data = None


def config(key, value):
    global log, size
    if key == "log":
        log = builtins.open(value, "ab", buffering=0)
    else:
        size = int(value)


def get_ready():
    global data
    data = bytearray(size)


def thread_model():
    return nbdkit.THREAD_MODEL_SERIALIZE_ALL_REQUESTS


def open(readonly):
    return 1


def get_size(handle):
    return size


def can_write(handle):
    return True


def can_flush(handle):
    return True


def can_fua(handle):
    return nbdkit.FUA_NATIVE


def can_multi_conn(handle):
    return True


def can_zero(handle):
    return True


def can_trim(handle):
    return True


def note(kind, offset, length, body=b""):
    log.write(struct.pack("<cQI", kind, offset, length) + body)


def pread(handle, buf, offset, flags):
    buf[:] = data[offset:offset + len(buf)]


def pwrite(handle, buf, offset, flags):
    body = bytes(buf)
    data[offset:offset + len(body)] = body
    note(b"W", offset, len(body), body)
    if flags & nbdkit.FLAG_FUA:
        note(b"F", 0, 0)


def zero(handle, count, offset, flags):
    data[offset:offset + count] = bytes(count)
    note(b"Z", offset, count)


def trim(handle, count, offset, flags):
    pass


def flush(handle, flags):
    note(b"F", 0, 0)
