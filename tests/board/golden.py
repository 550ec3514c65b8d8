"""golden.py DIRECTORY - make the golden boards, out of board(5) and of nothing else

SPDX-License-Identifier: 0BSD

Each is NAME.board, and the file "list" says what a reader must say of it: NAME, the exit
status of mmapr -1J, and what it prints.
"""
import os
import struct
import sys
import zlib

SCHEMA = ('a:i8@0,b:i16@2,c:i32@4,d:i64@8,e:u8@16,f:u16@18,g:u32@20,h:u64@24,i:f32@32,j:f64@40,'
          'k:bool@48,l:char@49,m:str8@50,n:bin4@58,o:i16[3]@62,p:str4[2]@68')
SIZE = 80
TEXT = ('{"a":-1,"b":-2,"c":-3,"d":%d,"e":255,"f":65535,"g":4294967295,"h":18446744073709551615,'
        '"i":0.5,"j":-0.1,"k":true,"l":"x","m":"g\\u0007\u20ac","n":"00ff10ab","o":[1,-2,3],"p":["ab","c"]}')


def record(order, number):
    r = bytearray(SIZE)
    for at, code, *values in ((0, 'b', -1), (2, 'h', -2), (4, 'i', -3), (8, 'q', number), (16, 'B', 255),
                              (18, 'H', 65535), (20, 'I', 2 ** 32 - 1), (24, 'Q', 2 ** 64 - 1), (32, 'f', 0.5),
                              (40, 'd', -0.1), (48, 'B', 1), (49, 'c', b'x'), (50, '8s', 'g\a\u20ac'.encode()),
                              (58, '4s', bytes.fromhex('00ff10ab')), (62, '3h', 1, -2, 3), (68, '4s4s', b'ab', b'c')):
        struct.pack_into(order + code, r, at, *values)
    return bytes(r)


def slot(order, number, data=None):
    data = record(order, number) if data is None else data
    head = struct.pack(order + 'IIQQQ', number % 2 ** 32, zlib.crc32(data), number, 1000 * number, 10 ** 18 + number)
    return head + data


def board(order, nslots, publications, schema=SCHEMA.encode(), seq=None, **changed):
    h = dict(magic=b'\x89IPBB\r\n\x1a', major=1, minor=0, header_size=320, said=nslots, stride=128, record_size=SIZE,
             boot=bytes(16))
    h.update(changed)
    head = h['magic'] + struct.pack(order + 'IHH7I', 0x01020304, h['major'], h['minor'], h['header_size'], 0,
                                    h['said'], h['stride'], h['record_size'], len(schema), zlib.crc32(schema))
    head += struct.pack(order + 'I', zlib.crc32(head + bytes(4) + h['boot'])) + h['boot']
    head += struct.pack(order + '4IQ', publications % 2 ** 32 if seq is None else seq, 2, 42, 1, 0) + bytes(40) + schema
    b = bytearray(320 + nslots * 128)
    b[:len(head)] = head
    for number in range(max(1, publications - nslots + 1), publications + 1):
        at = 320 + number % nslots * 128
        data = slot(order, number, record(order, number)[:h['record_size']])
        b[at:at + len(data)] = data
    return b


def flip(b, at):
    b[at] ^= 0x40
    return b


def put(b, place, data):
    b[320 + place * 128:320 + place * 128 + len(data)] = data
    return b


def variants(order):
    def good(n):
        return 0, TEXT % n
    damaged = 5, ''
    latest = 320 + 128  # slot 1 of 2, which publication 3 is in
    earlier = dict(boot=b'\x11' * 16)
    yield '2-slots', board(order, 2, 3), good(3)
    yield '8-slots', board(order, 8, 5), good(5)
    yield '8-slots-twice-round', board(order, 8, 21), good(21)
    yield 'number-over-32-bits', board(order, 2, 2 ** 32 + 3), good(2 ** 32 + 3)
    yield 'number-0-again', board(order, 2, 2 ** 32), good(2 ** 32)
    yield 'minor-version', board(order, 2, 3, minor=7), good(3)
    yield 'longer-file', board(order, 2, 3) + bytes(100), good(3)
    yield 'odd-record-size', board(order, 2, 3, record_size=77), good(3)
    yield 'older-slot-damaged', flip(board(order, 2, 3), 320 + 60), good(3)
    yield 'nothing-published', board(order, 2, 0), (3, '')
    yield 'earlier-boot', board(order, 8, 5, seq=3, **earlier), good(5)
    yield 'earlier-boot-newest-torn', flip(board(order, 8, 5, **earlier), 320 + 5 * 128 + 60), good(4)
    yield 'earlier-boot-wrong-place', put(board(order, 8, 5, **earlier), 5, slot(order, 6)), good(4)
    yield 'damaged-magic', board(order, 2, 3, magic=b'\x89IPBB\n\n\x1a'), damaged
    yield 'damaged-version', board(order, 2, 3, major=2), damaged
    yield 'damaged-header', flip(board(order, 2, 3), 20), damaged
    yield 'damaged-boot-id', flip(board(order, 2, 3), 50), damaged
    yield 'damaged-schema', flip(board(order, 2, 3), 130), damaged
    yield 'damaged-record', flip(board(order, 2, 3), latest + 60), damaged
    yield 'damaged-number', flip(board(order, 2, 3), latest + (0 if order == '<' else 3)), damaged
    yield 'damaged-seq', board(order, 8, 3, seq=5), damaged
    yield 'damaged-slots', board(order, 2, 3, said=3), damaged
    yield 'damaged-stride', board(order, 2, 3, stride=64), damaged
    yield 'damaged-header-size', board(order, 2, 3, header_size=128), damaged
    yield 'damaged-record-size', board(order, 2, 3, record_size=72), damaged
    yield 'damaged-field', board(order, 2, 3, schema=SCHEMA.replace('@68', '@76').encode()), damaged
    yield 'damaged-type', board(order, 2, 3, schema=SCHEMA.replace('i32', 'i33').encode()), damaged
    yield 'damaged-no-offset', board(order, 2, 3, schema=SCHEMA.replace('@16', '').encode()), damaged
    yield 'damaged-leading-zero', board(order, 2, 3, schema=SCHEMA.replace('a:i8@0', 'a:i8@00').encode()), damaged
    yield 'damaged-size-leading-zero', board(order, 2, 3, schema=SCHEMA.replace('str8', 'str08').encode()), damaged
    yield 'damaged-unused-slot', flip(board(order, 2, 0), 320), damaged
    yield 'damaged-name-twice', board(order, 2, 3, schema=SCHEMA.replace('b:', 'a:').encode()), damaged
    yield 'damaged-too-short', board(order, 2, 3)[:-1], damaged
    yield 'damaged-no-slot-whole', flip(flip(board(order, 2, 3, **earlier), 320 + 60), latest + 60), damaged


os.chdir(sys.argv[1])
with open('list', 'w', encoding='utf-8') as listing:
    for order, word in ('<', 'little'), ('>', 'big'):
        for name, data, (status, text) in variants(order):
            with open('%s-%s.board' % (word, name), 'wb') as file:
                file.write(data)
            listing.write('%s-%s|%d|%s\n' % (word, name, status, text))
