"""Files that repeat one element of their format until they are as large as the server accepts.

    python bench/repeats.py [BYTES [FORMAT]]     print the files of each format that take longest to read

`GRAMMAR` has a function from a size to a file for every element that a file may repeat: chunks, markers,
comments, blocks, directory entries, strips, boxes, objects. `tests/image/test_repeats.py` counts the calls
for each. Goal: no file takes more than 10 times as long as a photo of 12 million pixels, and no PDF longer
than the time limit of its process. Exits with 1 if a file misses the goal.
"""

import io
import struct
import sys
import time
import timeit
import warnings
import zlib
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

from digitrec.errors import ImageError
from digitrec.image import DigitImage, decode

LIMIT = 9_900_000
"""Size of a file, in bytes: the maximum size of a request to the server."""
MAX_TIMES = 10
"""The goal."""
ENDING_S = 2
"""Seconds to start the process for a PDF and to end it, on a busy machine."""

Made = Callable[[int], bytes]
Tags = dict[int, tuple[int, int, int]]
"""TIFF tags: type, count, and value or offset."""


def encoded(form: str, side: int = 28, mode: str = "L", **options: object) -> bytes:
    """Return a 7 in this format."""
    picture, kept = Image.new("L", (side, side), 255), io.BytesIO()
    path = [(side // 4, side // 5), (side // 2, side // 5), (side // 3, side * 4 // 5)]
    ImageDraw.Draw(picture).line(path, 0, 2)
    if form == "HEIF":
        import pillow_heif

        pillow_heif.from_pillow(picture.convert("RGB")).save(kept)
    else:
        picture.convert(mode).save(kept, form, **options)
    return kept.getvalue()


def fill(head: bytes, unit: bytes, tail: bytes = b"") -> Made:
    """Return a function that repeats the unit between head and tail as often as it fits."""
    return lambda size: head + unit * ((size - len(head) - len(tail)) // len(unit)) + tail


# PNG


def chunk(kind: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


IHDR = struct.pack(">IIBBBBB", 28, 28, 8, 0, 0, 0, 0)
ROWS, ZEROS = zlib.compress(bytes(29 * 28)), zlib.compress(bytes(900_000), 9)
START, END = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", IHDR), chunk(b"IEND")
FIRST, SECOND = chunk(b"IDAT", ROWS[:9]), chunk(b"IDAT", ROWS[9:])
PLACES = {
    "before the pixels": (START, FIRST + SECOND + END),
    "in the pixels": (START + FIRST, SECOND + END),
    "after the pixels": (START + FIRST + SECOND, END),
}
ACTL = chunk(b"acTL", struct.pack(">II", 1 << 20, 0))
FCTL = chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, 28, 28, 0, 0, 1, 10, 0, 0))
KINDS = {
    b"gAMA": bytes(4), b"pHYs": bytes(9), b"sRGB": b"\0", b"cHRM": bytes(32), b"PLTE": bytes(768),
    b"tRNS": b"\0\0", b"eXIf": b"II*\0\x08" + bytes(9), b"fcTL": bytes(26), b"IHDR": IHDR, b"IDAT": b"",
    b"fdAT": bytes(5), b"tEXt": b"k\0v", b"iTXt": b"k\0\0\0\0\0v", b"zTXt": b"k\0\0" + ZEROS,
    b"iCCP": b"k\0\0" + ZEROS,
}  # fmt: skip
CHUNKS = {kind.decode(): chunk(kind, data) for kind, data in KINDS.items()} | {
    "empty": chunk(b"teSt"), "private": chunk(b"teSt", b"7" * 20), "critical": chunk(b"TeSt"),
    "zTXt short": chunk(b"zTXt", b"k\0\0" + zlib.compress(b"v")),
    "iTXt long": chunk(b"iTXt", b"k\0\1\0\0\0" + ZEROS),
}  # fmt: skip

# TIFF, and the tags in other formats

USUAL: Tags = {
    256: (4, 1, 28), 257: (4, 1, 28), 258: (3, 1, 8), 259: (3, 1, 1), 262: (3, 1, 1), 273: (4, 1, 8),
    277: (3, 1, 1), 278: (4, 1, 28), 279: (4, 1, 784),
}  # fmt: skip
TYPES = {1: "<u1", 2: "<u1", 3: "<u2", 4: "<u4", 5: "<u8", 12: "<f8"}
ROW = (4, 1, 1)
TABLES = (258, 273, 279, 282, 320, 338, 339, 530, 700, 34675, 65000, 270)


def directory(tags: Tags, after: int = 0) -> bytes:
    entries = b"".join(struct.pack("<HHII", number, *tag) for number, tag in sorted(tags.items()))
    return struct.pack("<H", len(tags)) + entries + struct.pack("<I", after)


def many(first: int, count: int, *tag: int) -> Tags:
    return {first + n: tag for n in range(count)}  # type: ignore[misc]


def exif(entries: int, *tag: int) -> bytes:
    """Return a directory with this number of tags, which by default point outside the file."""
    return b"II*\0\x08\0\0\0" + directory(many(1, entries, *(tag or (2, 1, 7))))


def tiff(tags: Tags, data: bytes = bytes(800)) -> bytes:
    """Return a grey picture with these tags, which are added to the usual tags or replace them."""
    return struct.pack("<2sHI", b"II", 42, 8 + len(data)) + data + directory(USUAL | tags)


def tiff_of_tags(kind: int, count: int, room: int = 800) -> Made:
    """Return a function that makes tags which share their bytes."""
    return lambda size: tiff(many(1000, min(64_000, (size - room - 200) // 12), kind, count, 8), bytes(room))


def tiff_table(tag: int, kind: int, more: Tags | None = None) -> Made:
    """Return a function that makes one tag with as many values as fit."""

    def made(size: int) -> bytes:
        values = np.full((size - 1500) // np.dtype(TYPES[kind]).itemsize, 8, TYPES[kind])
        return tiff({tag: (kind, len(values), 808)} | (more or {}), bytes(800) + values.tobytes())

    return made


def tiff_pages(size: int, extra: int = 0) -> bytes:
    """Return as many directories as fit, each with this number of tags besides the usual ones."""
    page = directory(USUAL | many(1000, min(extra, size // 12 - 200), 3, 1, 7))[:-4]
    starts = range(808, size - len(page), len(page) + 4)
    pages = [page + struct.pack("<I", after) for after in (*starts[1:], 0)]
    return struct.pack("<2sHI800x", b"II", 42, 808) + b"".join(pages)


def tiff_below(tag: int) -> Made:
    return lambda size: tiff({tag: (4, 1, 808)}, bytes(800) + exif(min(60_000, (size - 1000) // 12))[8:])


# JPEG


def segment(marker: int, data: bytes = b"") -> bytes:
    return struct.pack(">BBH", 255, marker, len(data) + 2) + data


def jpeg(unit: bytes, before: bytes = b"", progressive: bool = False) -> Made:
    """Return a function that repeats a segment after the first marker, or before the first of these bytes."""
    data = encoded("JPEG", progressive=progressive)
    place = data.index(before) if before else 2
    return fill(data[:place], unit, data[place:])


def scans(side: int, mode: str = "L") -> Made:
    """Return a function that makes a picture in passes and repeats the last pass up to 90 times."""

    def made(size: int) -> bytes:
        data = encoded("JPEG", side, mode, progressive=True, quality=20)[:-2]
        last = data[data.rindex(b"\xff\xda") :]
        return fill(data, last, b"\xff\xd9")(min(size, len(data) + 2 + 90 * len(last)))

    return made


def split_exif(size: int) -> bytes:
    """Return a picture with one directory over many segments."""
    whole = exif(65_535).ljust(size - 20_000, b"\0")
    pieces = [whole[place : place + 65_000] for place in range(0, len(whole), 65_000)]
    data = encoded("JPEG")
    return data[:2] + b"".join(segment(0xE1, b"Exif\0\0" + piece) for piece in pieces) + data[2:]


RESOURCE = b"8BIM\x04\x04" + bytes(6)
SEGMENTS = {
    "COM": (0xFE, b""), "APP9": (0xE9, b""), "APP0": (0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0"),
    "APP1 XMP": (0xE1, b"http://ns.adobe.com/xap/1.0/\0x"), "APP1 EXIF": (0xE1, b"Exif\0\0" + exif(1)),
    "APP1 EXIF long": (0xE1, b"Exif\0\0" + exif(1) + bytes(2400)),
    "APP1 EXIF of tags": (0xE1, b"Exif\0\0" + exif(5400)),
    "APP1 EXIF of shared values": (0xE1, b"Exif\0\0" + exif(5400, 2, 60_000, 8)),
    "APP2 ICC": (0xE2, b"ICC_PROFILE\0\1\1x"), "APP2 MPF": (0xE2, b"MPF\0" + exif(5400)),
    "APP13": (0xED, b"Photoshop 3.0\0" + RESOURCE * 5416), "APP14": (0xEE, b"Adobe" + bytes(7)),
    "DQT": (0xDB, bytes(65_000)), "DQT single": (0xDB, bytes(65)), "DHT": (0xC4, bytes(17)),
    "DRI": (0xDD, b"\0\0"), "SOF": (0xC0, b"\x08\0\x1c\0\x1c\1" + b"\1\x11\0" * 21_000),
    "SOF short": (0xC0, b"\x08\0\x1c\0\x1c\1\1\x11\0"),
}  # fmt: skip
BYTES = {"fill": b"\xff", "junk": b"\0", "stuffed": b"\xff\0", "SOI": b"\xff\xd8", "RST": b"\xff\xd0"}

# GIF

GIF = encoded("GIF")
SEVEN = GIF.index(b",", 13 + 3 * 2 ** ((GIF[10] & 7) + 1))
BEFORE, AFTER = (GIF[:SEVEN], GIF[SEVEN:]), (GIF[:-1], GIF[-1:])
FRAME = struct.pack("<cHHHHB", b",", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
COLOURS = struct.pack("<cHHHHB768x", b",", 0, 0, 1, 1, 0x87) + b"\x02\x02\x44\x01\x00"
LARGE = struct.pack("<6sHH3xcHHHHBB", b"GIF89a", 1000, 1000, b",", 0, 0, 1000, 1000, 0, 8)
CODES = sum(256 << 18 * n for n in range(4)).to_bytes(9, "little")  # clear the table, a black pixel, ...
EXTENSIONS = {
    "comments": b"\xfe\0", "comments of a byte": b"\xfe\1x\0", "texts": b"\x01\0", "unknown": b"\x99\0",
    "applications": b"\xff\x0bNETSCAPE2.0\3\1\0\0\0", "graphic controls": b"\xf9\4\0\0\0\0\0",
}  # fmt: skip

# PNM, BMP, WebP

P5, P2, BLANK = b"\n28 28\n255\n" + bytes(784), b"P2\n28 28\n9\n", b"7 " * 784
PNM = {  # the largest value, and a pixel
    "P1": (b"", b"1"), "P1 spaced": (b"", b"1 "), "P2": (b"9\n", b"7 "), "P3": (b"9\n", b"7 7 7 "),
    "P2 commented": (b"9\n", b"7#\n"), "P5 of 9": (b"9\n", bytes(1)), "P6 of 9": (b"9\n", bytes(3)),
    "P5 of 999": (b"999\n", bytes(2)), "P6 of 999": (b"999\n", bytes(6)),
    "P5 of 65535": (b"65535\n", bytes(2)), "P6 of 65535": (b"65535\n", bytes(6)), "P5": (b"255\n", bytes(1)),
    "Pf": (b"1\n", bytes(4)),
}  # fmt: skip


def pnm(kind: bytes, largest: bytes, pixel: bytes) -> Made:
    def made(size: int) -> bytes:
        side = int(((size - 30) / len(pixel)) ** 0.5)
        return b"%s\n%d %d\n%s" % (kind, side, side, largest) + pixel * (side * side)

    return made


def bmp(unit: bytes, bits: int = 8, side: int = 990, colours: int = 256, **other: int) -> Made:
    """Return a function that repeats the unit as pixels, run-length coded unless another coding is given."""
    coding, header = other.get("coding", 1 if bits == 8 else 2), other.get("header", 40)
    head = struct.pack("<IiiHHIIiiII", header, side, side, 1, bits, coding, 0, 0, 0, colours, 0)
    file = struct.pack("<2sIHHI", b"BM", 0, 0, 0, 14 + 40 + 4 * colours)
    return fill(file + head + bytes(4 * colours), unit, b"\0\1")


RUNS = {
    "runs": b"\1\1", "long runs": b"\xff\1", "lines": b"\0\0", "pieces": b"\0\4abcd", "jumps": b"\0\2\1\0",
    "jumps nowhere": b"\0\2\0\0",
}  # fmt: skip

WEBP = encoded("WEBP", lossless=True)[12:]


def riff(kind: bytes, data: bytes = b"") -> bytes:
    return kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


FRAMES, FRAME_HEAD = riff(b"ANIM", bytes(6)), bytes(6) + b"\x1b\0\0\x1b\0\0" + bytes(4)


def webp(flags: int, made: Made) -> Made:
    """Return a function that puts chunks into the extended format."""
    head = b"WEBP" + riff(b"VP8X", struct.pack("<I", flags) + b"\x1b\0\0\x1b\0\0")
    return lambda size: riff(b"RIFF", head + made(size - 50))


# HEIF and AVIF


def box(kind: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I4s", 8 + len(data), kind) + data


def heif(form: str, path: str, unit: bytes, counted: int = 0) -> Made:
    """Return a function that repeats the unit at the end of a box, and sets the box's number of entries."""

    def made(size: int) -> bytes:
        data, number, start, length = bytearray(encoded(form)), (size - 2000) // len(unit), 0, 0
        for kind in path.encode().split():
            start = data.index(kind, start) - 4
            length = int.from_bytes(data[start : start + 4])
            data[start : start + 4] = (length + number * len(unit)).to_bytes(4)
        entries = slice(start + 12, start + 12 + counted)
        total = int.from_bytes(data[entries]) + number
        data[entries] = min(total, (1 << 8 * counted) - 1).to_bytes(counted)
        return bytes(data[: start + length] + unit * number + data[start + length :])

    return made


def iso(form: str) -> dict[str, Made]:
    """Return the functions for both formats."""
    free, ipma = box(b"free"), struct.pack(">HBB", 1, 1, 1)
    altr, cdsc = box(b"altr", struct.pack(">III", 0, 1, 0)), box(b"cdsc", struct.pack(">HHH", 1, 1, 1))
    inside = {
        "boxes in meta": ("meta", free),
        "items": ("meta iinf", box(b"infe", b"\2\0\0\0\0\x09\0\0hvc1\0"), 2),
        "properties": ("meta iprp ipco", free),
        "sizes": ("meta iprp ipco", box(b"ispe", bytes(12))),
        "associations": ("meta iprp", box(b"ipma", struct.pack(">II", 0, 1) + ipma)),
        "associated items": ("meta iprp ipma", ipma, 4),
        "references": ("meta", box(b"iref", bytes(4) + cdsc)),
        "places": ("meta iloc", struct.pack(">HHHII", 9, 0, 1, 0, 1)),
        "groups": ("meta", box(b"grpl", bytes(4) + altr)),
    }
    outside = {
        "boxes before": lambda size: fill((data := encoded(form))[: data[3]], free, data[data[3] :])(size),
        "boxes after": lambda size: fill(encoded(form), free)(size),  # noqa: PLW0108 (the extra may be missing)
    }
    return outside | {name: heif(form, *where) for name, where in inside.items()}


# PDF


def pdf_file(objects: bytes = b"", content: bytes = b"", page: bytes = b"", kids: bytes = b"3 0 R ") -> bytes:
    """Return a PDF whose page has a form F, object 10; it has no cross-reference table."""
    return b"".join((
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n",
        b"2 0 obj<</Type/Pages/Count %d/Kids[%s]>>endobj\n" % (len(kids) // 6, kids),
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 72]/Contents 4 0 R",
        b"/Resources<</XObject<</F 10 0 R>>>>",
        page + b">>endobj\n4 0 obj<</Length %d>>stream\n%s\nendstream endobj\n" % (len(content), content),
        objects + b"trailer<</Root 1 0 R>>\n%%EOF\n",
    ))  # fmt: skip


def form(number: int, content: bytes, more: bytes = b"") -> bytes:
    """Return a form that a page or another form may draw repeatedly; its own form F is the next one."""
    head = b"%d 0 obj<</Type/XObject/Subtype/Form/BBox[0 0 9 9]" % number
    head += b"/Resources<</XObject<</F %d 0 R>>>>" % (number + 1) + more
    return head + b"/Length %d>>stream\n%s\nendstream endobj\n" % (len(content), content)


def pdf_part(part: str, unit: bytes, before: bytes = b"", after: bytes = b"", **others: bytes) -> Made:
    """Return a function that repeats the unit in this part of a PDF; a unit with %d is numbered."""

    def made(size: int) -> bytes:
        number = (size - 1000) // len(unit.replace(b"%d", b"1000000"))
        units = b"".join(unit % n for n in range(10, number)) if b"%d" in unit else unit * number
        return pdf_file(**{part: before + units + after}, **others)

    return made


NESTED = b"".join(form(number, b"/F Do /F Do") for number in range(10, 40))
PACKED = form(10, zlib.compress(b"0 0 m 9 9 l S\n" * 2_000_000, 9), b"/Filter/FlateDecode")
PARTS = {
    "content": {
        "lines": (b"0 0 m 9 9 l S\n",), "rectangles": (b"0 0 9 9 re f\n",), "states": (b"q Q\n",),
        "nested states": (b"q ",), "clips": (b"0 0 9 9 re W n\n",), "words": (b"x ",),
        "shadings": (b"/S sh\n",),
        "inline pictures": (b"BI/W 1/H 1/BPC 8/CS/G ID x EI\n",),
    },
    "objects": {
        "comments": (b"%\n",), "objects": (b"%d 0 obj 1 endobj\n",),
        "one object again": (b"9 0 obj 1 endobj\n",),
        "trailers": (b"trailer<</Root 1 0 R>>\n",),
    },
    "page": {
        "keys": (b"/K%d 1",), "numbers": (b"1 ", b"/X[", b"]"),
        "annotations": (b"<</Subtype/Square/Rect[0 0 9 9]>>", b"/Annots[", b"]"),
    },
    "kids": {"pages": (b"3 0 R ",)},
}  # fmt: skip

# fmt: off
GRAMMAR: dict[str, dict[str, Made]] = {
    "PNG": {
        **{
            f"{name} chunks {where}": fill(before, unit, after)
            for name, unit in CHUNKS.items()
            for where, (before, after) in PLACES.items()
        },
        "frames": fill(
            START + ACTL + FCTL + chunk(b"IDAT", ROWS), FCTL + chunk(b"fdAT", b"\0\0\0\1" + ROWS), END
        ),
    },
    "JPEG": {
        **{name: jpeg(segment(*content)) for name, content in SEGMENTS.items()},
        **{name: jpeg(unit) for name, unit in BYTES.items()},
        "EXIF over segments": split_exif,
        "after the pixels": jpeg(segment(0xFE), b"\xff\xd9"),
        "COM before a scan": jpeg(segment(0xFE), b"\xff\xda"),
        "RST in the pixels": jpeg(b"\xff\xd0", b"\xff\xd9"),
        "TEM in the pixels": jpeg(b"\xff\x01", b"\xff\xd9"),
        "COM between scans": jpeg(segment(0xFE), b"\xff\xd9", True), "scans": scans(28),
        "scans of 12 Mpx": scans(3460), "scans in colour": scans(3460, "RGB"), "scans of 60 Mpx": scans(7700),
    },
    "GIF": {
        **{name: fill(BEFORE[0], b"\x21" + unit, BEFORE[1]) for name, unit in EXTENSIONS.items()},
        **{f"blocks in {what}": fill(BEFORE[0] + b"\x21" + kind, b"\1x", b"\0" + BEFORE[1]) for what, kind in
           (("a comment", b"\xfe"), ("an application", b"\xff"), ("an unknown", b"\x99"))},
        "junk": fill(BEFORE[0], b"\0", BEFORE[1]), "comments after": fill(AFTER[0], b"\x21\xfe\0", AFTER[1]),
        "frames": fill(AFTER[0], FRAME, AFTER[1]), "frames with colours": fill(AFTER[0], COLOURS, AFTER[1]),
        "blocks of pixels": fill(LARGE, b"".join(b"\1%c" % code for code in CODES), b"\0;"),
    },
    "TIFF": {
        "tags": tiff_of_tags(3, 1), "tags of text": tiff_of_tags(2, 80),
        "tags of rationals": tiff_of_tags(5, 10),
        "tags that share bytes": tiff_of_tags(7, 9_000_000, 9_100_000),
        "tags that share numbers": tiff_of_tags(3, 40_000, 90_000),
        "720 KB of tags": lambda size: tiff_of_tags(3, 1)(min(size, 720_000)),
        "pages": tiff_pages, "pages of tags": lambda size: tiff_pages(size, 60_000),
        "EXIF tags": tiff_below(34665), "GPS tags": tiff_below(34853), "subdirectory tags": tiff_below(330),
        **{f"values of {tag} as {kind}": tiff_table(tag, kind) for tag in TABLES for kind in TYPES},
        "strips": tiff_table(273, 4, {278: ROW, 257: (4, 1, 2_000_000)}),
        "strips of a row": tiff_table(273, 4, {278: ROW, 257: (4, 1, 60_000)}),
        "packed strips": tiff_table(273, 4, {278: ROW, 257: (4, 1, 2_000_000), 259: (3, 1, 32773)}),
        "tiles": tiff_table(324, 4, {322: ROW, 323: ROW, 256: (4, 1, 2000), 257: (4, 1, 1000)}),
        "colours": tiff_table(320, 3, {262: (3, 1, 3)}),
        "colours of bytes": tiff_table(320, 1, {262: (3, 1, 3)}),
    },
    "PPM": {
        "one comment": fill(b"P5\n#", b"x", P5), "comments": fill(b"P5\n", b"#\n", P5[1:]),
        "whitespace": fill(b"P5", b" ", P5[1:]), "digits": fill(b"P5\n", b"0", P5[1:]),
        "comments of plain": fill(P2, b"#\n", BLANK),
        "one comment of plain": fill(P2 + b"#", b"x", b"\n" + BLANK),
        "whitespace of plain": fill(P2, b" ", BLANK),
        "comments in plain": fill(b"P1\n28 28\n", b"#\n", b"1" * 784),
        **{name: pnm(name[:2].encode(), *content) for name, content in PNM.items()},
    },
    "BMP": {
        **{name: bmp(unit) for name, unit in RUNS.items()},
        **{f"{name} of four bits": bmp(RUNS[name][:4], 4, colours=16) for name in
           ("runs", "long runs", "pieces")},
        "runs in a large picture": bmp(b"\1\1", side=7000),
        "colours": bmp(b"\0", coding=0, side=28, colours=65_536),
        "header": lambda size: bmp(b"\0", coding=0, side=28, header=size)(size),
    },
    "WebP": {
        "unknown": webp(0, fill(WEBP, riff(b"teSt"))),
        "unknown before": webp(0, fill(b"", riff(b"teSt"), WEBP)),
        "EXIF": webp(8, fill(WEBP, riff(b"EXIF", exif(1)))),
        "EXIF of tags": webp(8, fill(WEBP, riff(b"EXIF", exif(60_000)))),
        "XMP": webp(4, fill(WEBP, riff(b"XMP ", b"x"))),
        "ICC": webp(32, fill(b"", riff(b"ICCP", b"x"), WEBP)),
        "alpha": webp(16, fill(b"", riff(b"ALPH", b"\0"), WEBP)),
        "frames": webp(2, fill(FRAMES, riff(b"ANMF", FRAME_HEAD + WEBP))),
        "unknown in a frame": webp(
            2, lambda size: FRAMES + riff(b"ANMF", fill(FRAME_HEAD + WEBP, riff(b"teSt"))(size - 50))),
    },
    "HEIF": iso("HEIF"),
    "AVIF": iso("AVIF"),
    "PDF": {
        **{name: pdf_part(part, *unit) for part, units in PARTS.items() for name, unit in units.items()},
        "forms": pdf_part("content", b"/F Do\n", objects=form(10, b"0 0 9 9 re f")),
        "lists in lists": lambda size: pdf_file(
            page=b"/X" + b"[" * (size // 2 - 600) + b"]" * (size // 2 - 600)),
        "forms in forms": lambda _: pdf_file(NESTED, b"/F Do"),
        "packed lines": lambda _: pdf_file(PACKED, b"/F Do"),
    },
}
# fmt: on


def taken(data: bytes) -> tuple[float, str]:
    """Return the seconds that a file takes, and whether it was read or refused."""
    start, what = time.perf_counter(), "read"
    try:
        DigitImage.open(data)
    except ImageError as error:
        what = str(error)
    return time.perf_counter() - start, what


def photo() -> float:
    """Return the seconds to decode a photo of 12 million pixels."""
    noise, kept = np.random.default_rng(7).normal(128, 6, (3000, 4000, 3)), io.BytesIO()
    Image.fromarray(noise.astype(np.uint8)).save(kept, "JPEG", quality=90)
    return min(timeit.repeat(lambda: Image.open(kept).load(), number=1, repeat=3))


def main(size: int, only: str = "") -> int:
    """Print the slowest files of each format; return 1 if a file takes too long."""
    warnings.simplefilter("ignore")
    DigitImage.open(encoded("PNG"))
    whole, status = photo(), 0
    print(f"a photo of 12 million pixels: {whole:.3f} s")
    for form in [only] if only else GRAMMAR:
        # A small file may stay below a limit that a large file exceeds.
        files = [(name, made, size // part) for name, made in GRAMMAR[form].items() for part in (1, 10, 100)]
        worst = sorted(((*taken(made(n)), name, n) for name, made, n in files), reverse=True)
        for seconds, what, name, n in worst[: 8 if only else 3]:
            times = f"{seconds:6.2f} s  {seconds / whole:5.1f} times"
            print(f"{form:5} {times}  {name}, {n / 1e6:g} MB: {what[:100]}", flush=True)
        status |= worst[0][0] > (decode.PDF_MAX_WALL_S + ENDING_S if form == "PDF" else MAX_TIMES * whole)
    return status


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else LIMIT, *sys.argv[2:3]))
