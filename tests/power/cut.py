"""cut.py DIR FS IMAGES [SEED] - cuts the power at random records of DIR/log, and looks at the files.

For each cut, cut.py makes three images. Each has all that was flushed before the cut. What was
written after the last flush is missing, or there, or there in part (in random pieces of 4 KiB).
cut.py mounts each image and compares its files. It prints a line for each promise that is broken,
and a last line with the counts.

SPDX-License-Identifier: 0BSD
"""
import os
import random
import re
import struct
import subprocess
import sys

where, fs, images = sys.argv[1], sys.argv[2], int(sys.argv[3])
seed = int(sys.argv[4]) if len(sys.argv) > 4 else random.randrange(1 << 30)
rng = random.Random(seed)
box, PIECE, MAGIC = os.environ["IPCBOX"], 4096, b"\x89IPBB\r\n\x1a"
size = {"xfs": 320, "btrfs": 128}.get(fs, 64) << 20


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


def is_write(record):
    return record[0] in b"WZ"


def flush(disk, records):
    """Writes the records to the disk, as a flush does."""
    for record in filter(is_write, records):
        os.pwrite(disk, body(record), record[1])


def write_image(path, disk):
    """Makes a copy of the disk with its holes, and returns the descriptor of the copy."""
    image = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
    os.ftruncate(image, size)
    end = 0
    while True:
        try:
            start = os.lseek(disk, end, os.SEEK_DATA)
        except OSError:
            return image
        end = os.lseek(disk, start, os.SEEK_HOLE)
        while start < end:
            start += os.copy_file_range(disk, image, end - start, start, start)


old, new, large = (read(f"{where}/{name}") for name in ("old", "new", "large"))
zeros = bytes(len(new))


def is_whole(got, before, after, done, may_be_old=False):
    """Returns true if the file may hold what it has. done: the command ended before the cut."""
    return got == after or (got == before and (may_be_old or not done))


def look(mnt, marks, count):
    """Yields a text for each promise that is broken."""
    def began(name):
        return "start " + name in marks

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
    for n, name in enumerate(("fresh1", "fresh2")):
        if not is_whole(content(name), None, new, marks.count("done fresh") > n):
            yield name
    for name in ("one", "two", "three"):
        if not is_whole(content("several/" + name), old, new, done("several")):
            yield "several/" + name
    got = content("update")
    if got is None or len(got) != len(new) or any(
            got[i:i + PIECE] not in (zeros[i:i + PIECE], new[i:i + PIECE])
            for i in range(0, len(new), PIECE)) or (done("update") and got != new):
        yield "update"
    if not is_whole(content("resume"), old, new, done("resume")):
        yield "resume"
    if began("interrupted"):
        count["resumed"] += any(n.endswith(".resume") for n in os.listdir(mnt))
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
    if not is_whole(content("cp"), old, new, done("cp")):
        count["cp"] += 1


def board_numbers(disk, places):
    """Yields the number of the latest publication in each header of a board on the disk."""
    for place in places:
        header = os.pread(disk, 128, place)
        if header.startswith(MAGIC):
            yield struct.unpack_from("=I", header, 64)[0]


def publications(records):
    """Counts the publications that were acknowledged, and those that were not flushed by then.

    It looks at the blocks themselves after every acknowledgement, without a mount.
    """
    places = {r[1] + m.start() for r in records if r[0] == b"W"
              for m in re.finditer(re.escape(MAGIC), body(r))}
    disk = os.open(where + "/flushed", os.O_RDWR | os.O_CREAT)
    os.ftruncate(disk, size)
    pending, told, missing = [], 0, 0
    for record in records:
        pending.append(record)
        if record[0] == b"F":
            flush(disk, pending)
            pending = []
        elif record[3].startswith(b"done board"):
            told += 1  # Publication 1 was there before.
            missing += max(board_numbers(disk, places), default=0) < told + 1
    os.close(disk)
    os.unlink(where + "/flushed")
    return told, missing


def main():
    records = read_log()
    told, missing = publications(records)
    if missing or not told:
        print(f"{missing} of {told} publications were acknowledged before they were flushed")
    start = next(i for i, r in enumerate(records) if r[0] == b"M" and r[3] == b"start all")
    disk = os.open(where + "/disk", os.O_RDWR | os.O_CREAT)
    os.ftruncate(disk, size)
    flush(disk, records[:start])
    points = range(start + 1, len(records) + 1)
    # One cut is where the file for --resume is on the disk: chance alone may choose none like it.
    kept = next(i for i, r in enumerate(records) if r[0] == b"M" and r[3] == b"done interrupted")
    cuts = sorted([kept + 1] + [rng.choice(points) for _ in range(images // 3 - 1)])
    count = dict(acknowledged=told, images=0, wrong=0, unmountable=0, resumed=0, cp=0)
    mnt, upto = where + "/cut", start
    os.makedirs(mnt, exist_ok=True)
    for cut in cuts:
        last = max((i for i in range(upto, cut) if records[i][0] == b"F"), default=upto)
        flush(disk, records[upto:last])
        upto = last
        pending = [p for r in filter(is_write, records[last:cut]) for p in pieces(r)]
        marks = [r[3].decode() for r in records[start:cut] if r[0] == b"M"]
        for how in ("all", "none", "some"):
            chance = {"all": 1, "none": 0, "some": rng.choice((0.1, 0.5, 0.9))}[how]
            # Each image has a file of its own. If two had the same file, mount(8) could take the
            # loop device of the image before, with its cache.
            image = f"{where}/image{count['images']}"
            fd = write_image(image, disk)
            for off, data in pending:
                if rng.random() < chance:
                    os.pwrite(fd, data, off)
            os.close(fd)
            count["images"] += 1
            if subprocess.run(["mount", "-o", "loop", image, mnt], capture_output=True).returncode:
                count["unmountable"] += 1
                os.unlink(image)
                continue
            try:
                for broken in look(mnt, marks, count):
                    count["wrong"] += 1
                    print(f"seed {seed}, cut {cut - start} of {len(records) - start}, {how} of "
                          f"{len(pending)}, after '{marks[-1] if marks else ''}': {broken}")
            finally:
                subprocess.run(["umount", mnt], check=True)
                os.unlink(image)
    print(" ".join(f"{k}={v}" for k, v in count.items()))


main()
