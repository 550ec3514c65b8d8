"""cut.py DIR FS IMAGES [SEED] - cuts the power at random records of DIR/log, and looks at the files.

An image is what a cut would leave: all that was flushed before it, and of what was written after the
last flush all, nothing, or random pieces of 4 KiB. No image is made twice. cut.py mounts each and
compares its files. It prints a line for each promise that is broken, and a last line with the counts.

It runs in a mount namespace of its own (unshare -m). A namespace that somebody clones from ours would
keep each mount, after umount(2) too; XFS then refuses the next image, which has the same UUID.

SPDX-License-Identifier: 0BSD
"""
import bisect
import ctypes
import errno
import fcntl
import mmap
import os
import random
import re
import struct
import subprocess
import sys

where, fs, images = sys.argv[1], sys.argv[2], int(sys.argv[3])
seed = int(sys.argv[4]) if len(sys.argv) > 4 else random.randrange(1 << 30)
rng = random.Random(seed)
box, PIECE, CHUNK, MAGIC = os.environ["IPCBOX"], 4096, 65536, b"\x89IPBB\r\n\x1a"
SECTOR = 512
LOOP_CTL_GET_FREE, LOOP_CONFIGURE, LO_FLAGS_AUTOCLEAR = 0x4C82, 0x4C0A, 4  # linux/loop.h
size = {"xfs": 320, "btrfs": 128}.get(fs, 64) << 20
mnt = where + "/cut"
libc = ctypes.CDLL(None, use_errno=True)


def read(path):
    with open(path, "rb") as f:
        return f.read()


def read_log():
    records = []
    with open(where + "/log", "rb") as f:
        while len(head := f.read(13)) == 13:
            kind, off, n = struct.unpack("<cQI", head)
            records.append((kind, off, n, f.read(n) if kind in b"WM" else b""))
    return records


def body(record):
    kind, _, n, data = record
    return data if kind == b"W" else bytes(n)


def pieces(record):
    """Yields (offset, bytes) for each piece of a write. No piece crosses a multiple of PIECE."""
    off, data = record[1], memoryview(body(record))
    while data:
        n = PIECE - off % PIECE
        yield off, data[:n]
        off, data = off + n, data[n:]


def count_pieces(record):
    return (record[1] + record[2] + PIECE - 1) // PIECE - record[1] // PIECE


def is_write(record):
    return record[0] in b"WZ"


class Disk:
    """The disk with what was flushed, and a file for its images.

    The file is written again for each image: to make one costs as much as to mount it.
    """

    def __init__(self):
        self.flushed = mmap.mmap(-1, size)
        self.file = os.open(where + "/image", os.O_RDWR | os.O_CREAT | os.O_EXCL)
        os.ftruncate(self.file, size)
        self.chunks = set()  # numbers of the chunks of the file that may not be zero

    def flush(self, records):
        for _, off, n, data in filter(is_write, records):
            self.flushed[off:off + n] = data or bytes(n)
            self.chunks.update(range(off // CHUNK, (off + n + CHUNK - 1) // CHUNK))

    def add_written_chunks(self):
        """Adds the chunks that the file system wrote to the last image."""
        end = 0
        while True:
            try:
                start = os.lseek(self.file, end, os.SEEK_DATA)
            except OSError:
                return
            end = os.lseek(self.file, start, os.SEEK_HOLE)
            self.chunks.update(range(start // CHUNK, (end + CHUNK - 1) // CHUNK))

    def write_image(self, pending):
        self.add_written_chunks()
        flushed = memoryview(self.flushed)
        for chunk in self.chunks:
            os.pwrite(self.file, flushed[chunk * CHUNK:(chunk + 1) * CHUNK], chunk * CHUNK)
        for off, data in pending:
            os.pwrite(self.file, data, off)

    def mount(self):
        """Mounts the image by a loop device that goes with the mount."""
        control = os.open("/dev/loop-control", os.O_RDWR)
        config = bytearray(304)  # struct loop_config
        struct.pack_into("=I", config, 0, self.file)
        struct.pack_into("=I", config, 60, LO_FLAGS_AUTOCLEAR)
        while True:
            path = f"/dev/loop{fcntl.ioctl(control, LOOP_CTL_GET_FREE)}"
            device = os.open(path, os.O_RDWR)
            try:
                fcntl.ioctl(device, LOOP_CONFIGURE, config)
                break
            except OSError as e:  # Somebody else took it first.
                os.close(device)
                if e.errno != errno.EBUSY:
                    raise
        os.close(control)
        failed = libc.mount(path.encode(), mnt.encode(), fs.encode(), 0, None)
        e = ctypes.get_errno()
        os.close(device)
        if failed:
            raise OSError(e, os.strerror(e))


def unmount():
    if libc.umount2(mnt.encode(), 0):
        raise OSError(ctypes.get_errno(), "umount")


old, new, large = (read(f"{where}/{name}") for name in ("old", "new", "large"))
zeros = bytes(len(new))


def is_whole(got, before, after, done, may_be_old=False):
    """Returns true if the file may hold what it has. done: the command ended before the cut."""
    return got == after or (got == before and (may_be_old or not done))


def is_mixture(got):
    """Returns true if each sector of a file that -u writes in place is the old one or the new one.

    A piece of the disk may end inside 4 KiB of the file: ext4 has blocks of 1 KiB on a disk this small.
    """
    return got is not None and len(got) == len(new) and all(
        got[i:i + SECTOR] in (zeros[i:i + SECTOR], new[i:i + SECTOR]) for i in range(0, len(new), SECTOR))


def look(marks, count):
    """Yields a text for each promise that is broken."""
    def done(name):
        return "done " + name in marks

    def content(name):
        try:
            return read(f"{mnt}/{name}")
        except FileNotFoundError:
            return None

    for name in ("default", "preserve", "data"):
        if not is_whole(content(name), old, new, done(name), name == "data"):
            yield name
    if not is_whole(content("direct"), old, large, done("direct")):
        yield "direct"
    if not is_whole(content("fresh"), None, new, done("fresh")):
        yield "fresh"
    for name in ("one", "two", "three"):
        if not is_whole(content("several/" + name), old, new, done("several")):
            yield "several/" + name
    if not is_mixture(content("update")) or (done("update") and content("update") != new):
        yield "update"
    if not is_whole(content("resume"), old, new, done("resume")):
        yield "resume"
    kept = any(n.endswith(".resume") for n in os.listdir(mnt))
    count["resumed"] += kept
    if kept or ("start interrupted" in marks and not done("resume")):
        p = subprocess.run([box, "pcopy", "-R", "--no-sync", where + "/new", mnt + "/resume"],
                           capture_output=True, text=True)
        left = [n for n in os.listdir(mnt) if n.endswith(".resume")]
        if p.returncode or content("resume") != new or left:
            yield f"resume goes on: {p.stderr.strip()} {left}"
    told = [int(m.split()[2]) for m in marks if m.startswith("done board")]
    p = subprocess.run([box, "mmapr", "-1", mnt + "/board"], capture_output=True, text=True)
    shown = p.stdout.split()[0] if p.stdout else ""
    if p.returncode or not shown.startswith("id=") or int(shown[3:]) < max(told, default=0):
        yield f"board: {p.stdout.strip()}{p.stderr.strip()} after {told}"
    for name in ("cp", "careless"):
        count[name] += not is_whole(content(name), old, new, done(name))


def board_numbers(disk, places):
    """Yields the number of the latest publication in each header of a board on the disk."""
    for place in places:
        header = disk[place:place + 128]
        if header.startswith(MAGIC):
            yield struct.unpack_from("=I", header, 64)[0]


def publications(records):
    """Counts the publications that were acknowledged, and those that were not flushed by then.

    It looks at the blocks themselves after every acknowledgement, without a mount.
    """
    places = {r[1] + m.start() for r in records if r[0] == b"W"
              for m in re.finditer(re.escape(MAGIC), body(r))}
    disk = mmap.mmap(-1, size)
    pending, told, missing = [], 0, 0
    for record in records:
        pending.append(record)
        if record[0] == b"F":
            for _, off, n, data in filter(is_write, pending):
                disk[off:off + n] = data or bytes(n)
            pending = []
        elif record[3].startswith(b"done board"):
            told += 1  # Publication 1 was there before.
            missing += max(board_numbers(disk, places), default=0) < told + 1
    return told, missing


def choose(records, start):
    """Returns the images as sorted pairs of the cut, a number of records, and a number with a bit for
    each piece that was written after the last flush before the cut: is it in the image?"""
    flushes = [start] + [i for i in range(start, len(records)) if records[i][0] == b"F"]
    # A flush writes nothing: what a cut behind it leaves is left by a cut before it, too.
    points = [i + 1 for i in range(start + 1, len(records)) if records[i][0] != b"F"]
    last = {p: flushes[bisect.bisect_left(flushes, p) - 1] for p in points}
    # Chance alone may choose no cut where the file for --resume is on the disk, and none where the
    # careless pcopy has just ended.
    ends = b"done interrupted", b"done careless"
    chosen = {(i + 1, 0) for i, r in enumerate(records) if r[3] in ends}
    for _ in range(100 * images):
        if len(chosen) >= images:
            break
        cut = rng.choice(points)
        n = sum(count_pieces(r) for r in records[last[cut]:cut] if is_write(r))
        chance = rng.choice((0, 0.1, 0.5, 0.9, 1))
        chosen.add((cut, sum((rng.random() < chance) << i for i in range(n))))
    return sorted(chosen)


def main():
    records = read_log()
    told, missing = publications(records)
    if missing or not told:
        print(f"{missing} of {told} publications were acknowledged before they were flushed")
    start = next(i for i, r in enumerate(records) if r[3] == b"start all")
    disk = Disk()
    disk.flush(records[:start])
    count = dict(acknowledged=told, images=0, wrong=0, unmountable=0, resumed=0, cp=0, careless=0)
    upto = start
    os.makedirs(mnt)
    for cut, there in choose(records, start):
        last = max((i for i in range(upto, cut) if records[i][0] == b"F"), default=upto)
        disk.flush(records[upto:last])
        upto = last
        pending = [p for r in filter(is_write, records[last:cut]) for p in pieces(r)]
        marks = [r[3].decode() for r in records[start:cut] if r[0] == b"M"]
        disk.write_image(p for i, p in enumerate(pending) if there >> i & 1)
        count["images"] += 1
        broken = []
        try:
            disk.mount()
            broken = list(look(marks, count))
            unmount()
        except OSError as e:
            count["unmountable"] += 1
            broken.append(str(e))
        for text in broken:
            count["wrong"] += 1
            print(f"seed {seed}, cut {cut - start} of {len(records) - start}, {there.bit_count()} of "
                  f"{len(pending)} pieces, after '{marks[-1]}': {text}")
    print(f"seed={seed} " + " ".join(f"{k}={v}" for k, v in count.items()))


main()
