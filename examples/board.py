#!/usr/bin/env python3
# SPDX-License-Identifier: 0BSD
"""board.py - read a board, board(5), with Python's standard library alone

    board.py FILE      prints the latest record as a JSON object, as mmapr -1J does
    board.py -f FILE   prints it, and then each record that comes

Exit status: 0, 1 the file cannot be read, 3 nothing is published yet or there is no file, 5 the
file is damaged. With -f a file that is not there, or is empty, is waited for.

It only reads. Python has no fences, so it cannot write a board rightly: pipe lines into
"mmapw FILE -" instead. A reader is right without them because it checks the number and the
CRC of what it copied. Python cannot catch the SIGBUS of a file that is truncated while it is
mapped: that ends it.
"""
import base64
import ctypes
import json
import mmap
import os
import re
import struct
import sys
import time
import zlib

MAGIC = b'\x89IPBB\r\n\x1a'
SLOT = 32               # bytes before the record of a slot
TRIES = 1000            # then the writer is too fast
SECOND = 1.0            # how often a follower looks at the name
FUTEX = {'x86_64': 202, 'i386': 240, 'i686': 240, 'aarch64': 98, 'riscv64': 98, 'armv7l': 240,
         'armv6l': 240, 'ppc64le': 221, 's390x': 238}.get(os.uname().machine)
NUMBERS = {'i8': 'b', 'i16': 'h', 'i32': 'i', 'i64': 'q', 'u8': 'B', 'u16': 'H', 'u32': 'I',
           'u64': 'Q', 'f32': 'f', 'f64': 'd', 'bool': '?'}


class Damaged(Exception):
    """The file is no board, or not whole."""


def need(condition, why):
    if not condition:
        raise Damaged(why)


class Field:
    """One name:type@offset of a schema."""

    def __init__(self, text):
        match = re.fullmatch(r'([A-Za-z_]\w{0,63}):([a-z]+)((?:[1-9]\d*)?)'
                             r'(?:\[([1-9]\d*)\])?@(0|[1-9]\d*)', text, re.A)
        need(match, 'wrong schema')
        self.name, kind, size, count, offset = match.groups()
        self.code = NUMBERS.get(kind + size)
        self.kind = kind if kind in ('str', 'bin', 'char') else 'number'
        need(self.code or self.kind == 'char' and not size or self.kind in ('str', 'bin') and size,
             'wrong schema')
        self.size = struct.calcsize('=' + self.code) if self.code else int(size or 1)
        self.is_array, self.count, self.offset = count is not None, int(count or 1), int(offset)
        self.end = self.offset + self.size * self.count
        need(self.size and self.count, 'wrong schema')

    def elements(self, record, order):
        """The elements: numbers, bytes of a text, or hexadecimal digits."""
        for at in range(self.offset, self.end, self.size):
            part = record[at:at + self.size]
            if self.kind == 'number':
                yield struct.unpack(order + self.code, part)[0]
            else:
                yield part.hex() if self.kind == 'bin' else part.split(b'\0')[0]


def parse_schema(text, record_size):
    fields, end = [Field(item) for item in text.split(',')], 0
    for field in fields:
        need(end <= field.offset and field.end <= record_size, 'wrong schema')
        end = field.end
    need(len({field.name for field in fields}) == len(fields), 'wrong schema')
    return fields


def this_boot():
    try:
        with open('/proc/sys/kernel/random/boot_id', encoding='ascii') as file:
            return bytes.fromhex(file.read().strip().replace('-', ''))
    except OSError:
        return bytes(16)


class Board:
    """An open board. record() is the latest publication."""

    def __init__(self, path):
        self.path = path
        with open(path, 'rb') as file:
            self.stat = os.fstat(file.fileno())
            self.head = file.read(128)
            self.check_header()
            file.seek(128)
            schema = file.read(self.schema_len)
            need(zlib.crc32(schema) == self.schema_crc, 'wrong CRC of the schema')
            self.fields = parse_schema(schema.decode('ascii', 'replace'), self.record_size)
            self.map = mmap.mmap(file.fileno(), self.size, access=mmap.ACCESS_READ)
        self.other_boot = bytes(16) not in (self.boot_id, this_boot()) \
            and self.boot_id != this_boot()

    def check_header(self):
        head = self.head
        need(len(head) == 128 and head[:8] == MAGIC, 'not a board')
        self.order = {b'\4\3\2\1': '<', b'\1\2\3\4': '>'}.get(head[8:12])
        need(self.order, 'unknown byte order')
        (major, _minor, header_size, _flags, self.nslots, self.stride, self.record_size,
         self.schema_len, self.schema_crc, header_crc) = \
            struct.unpack_from(self.order + 'HH8I', head, 12)
        self.slots, self.boot_id = header_size, head[48:64]
        need(major == 1, 'unknown version')
        need(zlib.crc32(head[:44] + bytes(4) + head[48:64]) == header_crc,
             'wrong CRC of the header')
        need(header_size % 64 == 0 and 128 + self.schema_len <= header_size <= 1 << 16,
             'wrong header size')
        need(2 <= self.nslots <= 1 << 16 and self.nslots & (self.nslots - 1) == 0,
             'wrong number of slots')
        need(self.stride % 64 == 0 and 1 <= self.record_size <= 1 << 24
             and SLOT + self.record_size <= self.stride, 'wrong size of the record')
        self.size = header_size + self.nslots * self.stride
        need(self.size <= self.stat.st_size, 'it is too short')

    def close(self):
        self.map.close()

    def word(self, at):
        return struct.unpack_from(self.order + 'I', self.map, at)[0]

    def seq(self):
        return self.word(64)

    def slot(self, number):
        """The copy of a slot: n, CRC, publications, times, record."""
        at = self.slots + (number % self.nslots) * self.stride
        copy = self.map[at:at + SLOT + self.record_size]
        return struct.unpack_from(self.order + 'IIQqQ', copy) + (copy[SLOT:],)

    def is_whole(self, number, slot):
        return slot[0] == number == slot[2] & 0xFFFFFFFF and zlib.crc32(slot[5]) == slot[1]

    def newest(self):
        """After a reboot: the slot with the most publications of those that are whole."""
        for _ in range(TRIES):
            number = self.seq()
            found = [slot for i, slot in enumerate(map(self.slot, range(self.nslots)))
                     if slot[2] and slot[0] % self.nslots == i and self.is_whole(slot[0], slot)]
            if found:
                return max(found, key=lambda slot: slot[2])
            # A writer that does not know the boot may have changed each slot meanwhile.
            if self.seq() == number:
                need(not number, 'no slot is whole')
                return None
        raise Damaged('the writer is too fast')

    def latest(self):
        """The slot of the latest publication; None if nothing is published."""
        if self.other_boot:
            return self.newest()
        for _ in range(TRIES):
            number = self.seq()
            slot = self.slot(number)
            if (self.seq() - number) % (1 << 32) >= self.nslots - 1:
                continue
            if slot[0] == slot[2] == number == 0:
                return None
            if self.is_whole(number, slot):
                return slot
            # Without fences the copy may be of two publications: then seq has moved, or will.
            if self.seq() == number:
                time.sleep(0.001)
                need(self.seq() != number or self.slot(number) != slot,
                     'wrong CRC of the record')
        raise Damaged('the writer is too fast')

    def values(self, slot):
        """The record as a dictionary that json can print, with NAME_b64 for other bytes."""
        record = {}
        for field in self.fields:
            name, values = field.name, list(field.elements(slot[5], self.order))
            if field.kind in ('str', 'char'):
                try:
                    values = [value.decode() for value in values]
                except UnicodeDecodeError:
                    name += '_b64'
                    values = [base64.b64encode(value).decode() for value in values]
            if field.code in ('f', 'd'):
                values = [v if abs(v) < float('inf') else None for v in values]
            record[name] = values if field.is_array else values[0]
        return record

    def is_current(self):
        """Is the name still what is mapped? On overlayfs device and inode do not tell."""
        try:
            with open(self.path, 'rb') as file:
                stat, head = os.fstat(file.fileno()), file.read(128)
        except FileNotFoundError:
            return True  # it may come back
        if (stat.st_dev, stat.st_ino) != (self.stat.st_dev, self.stat.st_ino) \
                or head[:64] != self.head[:64]:
            return False
        for at in (64, 76):  # seq and writer_generation: neither is ahead of the mapping
            found, = struct.unpack_from(self.order + 'I', head, at)
            if 0 < (found - self.word(at)) % (1 << 32) < 1 << 31:
                return False
        return True

    def wait(self, number):
        """Until seq is no more number, a second at most."""
        if not FUTEX:
            time.sleep(SECOND / 100)
            return
        libc = ctypes.CDLL(None, use_errno=True)
        base = self.address()
        limit = (ctypes.c_long * 2)(int(SECOND), 0)
        value = struct.unpack('=I', struct.pack(self.order + 'I', number))[0]
        libc.syscall(ctypes.c_long(FUTEX), ctypes.c_void_p(base + 64), 0,
                     ctypes.c_uint32(value), limit, None, 0)

    def address(self):
        """Where the mapping is. ctypes asks for a writable buffer, which this is not."""
        view = ctypes.py_object(self.map)
        buffer = (ctypes.c_ssize_t * 20)()
        ctypes.pythonapi.PyObject_GetBuffer(view, ctypes.byref(buffer), 0)
        address = buffer[0]
        ctypes.pythonapi.PyBuffer_Release(ctypes.byref(buffer))
        return address


def show(board, slot):
    print(json.dumps(board.values(slot), ensure_ascii=False, separators=(',', ':')), flush=True)


def wait_for(path):
    """The board, as soon as there is one."""
    while True:
        try:
            if os.path.getsize(path):
                return Board(path)
        except FileNotFoundError:
            pass
        time.sleep(SECOND / 10)


def follow(path):
    """Each publication as it comes: a slow reader sees the latest, not all."""
    board, last, looked = wait_for(path), None, time.monotonic()
    while True:
        number, slot = board.seq(), board.latest()
        if slot and (slot[2], slot[4]) != last:
            last = slot[2], slot[4]
            show(board, slot)
        board.wait(number)
        if time.monotonic() - looked >= SECOND:
            looked = time.monotonic()
            if not board.is_current():
                board.close()
                board = wait_for(path)


def main(arguments):
    try:
        if arguments[:1] == ['-f'] and len(arguments) == 2:
            follow(arguments[1])
        if len(arguments) != 1:
            sys.exit(__doc__)
        board = Board(arguments[0])
        slot = board.latest()
        if slot is None:
            print('nothing is published yet', file=sys.stderr)
            return 3
        show(board, slot)
        return 0
    except Damaged as why:
        print('%s is damaged: %s' % (arguments[-1], why), file=sys.stderr)
        return 5
    except FileNotFoundError:
        print('nothing is published yet: there is no such file', file=sys.stderr)
        return 3
    except OSError as why:
        print(why, file=sys.stderr)
        return 1


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
