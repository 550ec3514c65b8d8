#!/usr/bin/env python3
"""fifo.py FILE - print the messages in frames (applets/fifo/fifo.5) of a FIFO or a file

SPDX-License-Identifier: 0BSD
"""
import struct
import sys
import zlib

HEADER = struct.Struct('<4sIIHHIIII')
MAGIC = b'IPF\2'
MOST = 64 << 20
PART = 4096 - HEADER.size  # Linux: PIPE_BUF is 4096 on every machine


def parts(stream):
    """Yield (writer, run, seq, length, offset, bytes) for each part; pass over all else."""
    data = b''
    while True:
        more = stream.read1(65536)
        data += more
        at = data.find(MAGIC)
        while at >= 0 and len(data) - at >= HEADER.size:
            _, length, offset, size, zero, writer, run, seq, crc = HEADER.unpack_from(data, at)
            end = at + HEADER.size + size
            if zero or size > PART or length > MOST or offset + size > length:
                at = data.find(MAGIC, at + 1)
            elif end > len(data) and more:
                break
            elif zlib.crc32(data[at:at + 28] + data[at + HEADER.size:end]) != crc:
                at = data.find(MAGIC, at + 1)
            else:
                yield writer, run, seq, length, offset, data[at + HEADER.size:end]
                data = data[end:]
                at = data.find(MAGIC)
        data = data[at:] if at >= 0 else data[-3:]
        if not more:
            return


def messages(stream):
    """Yield (writer, seq, message) for each message that came whole."""
    pending = {}
    for writer, run, seq, length, offset, data in parts(stream):
        key = writer, run
        before = pending.pop(key, None)
        if offset == 0:
            pieces = [data]
        elif before and before[:3] == (seq, length, offset):
            pieces = before[3] + [data]
        else:
            continue
        if offset + len(data) == length:
            yield writer, seq, b''.join(pieces)
        else:
            pending[key] = seq, length, offset + len(data), pieces


if __name__ == '__main__':
    with open(sys.argv[1], 'rb') as fifo:
        for _, _, message in messages(fifo):
            sys.stdout.buffer.write(message + b'\n')
            sys.stdout.buffer.flush()
