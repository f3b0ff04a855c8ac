"""Files that repeat one element of their format until they are as large as the server accepts.

    python bench/repeats.py [BYTES [FORMAT]]     print the files of each format that take longest to read

`GRAMMAR` names, for each format, every element that a file may repeat: chunks, markers, comments, blocks,
directory entries, strips, boxes, objects. `tests/image/test_repeats.py` counts the calls for each of them.
Goal: no file takes more than 10 times the decoding of a photo of 12 million pixels. Exits 1 when one does.
"""

from __future__ import annotations

import io
import struct
import sys
import time
import warnings
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator

import numpy as np
from PIL import Image, ImageDraw

from digitrec.errors import ImageError
from digitrec.image import DigitImage

LIMIT = 9_900_000
"""Bytes of a file: what fits into a request of the server."""
MOST_TIMES = 10
"""The goal."""


def encoded(form: str, side: int = 28, mode: str = "L", **options: object) -> bytes:
    """A 7 in this format."""
    picture = Image.new("L", (side, side), 255)
    ImageDraw.Draw(picture).line(
        [(side // 4, side // 5), (side // 2, side // 5), (side // 3, side * 4 // 5)], 0, 2
    )
    kept = io.BytesIO()
    if form == "HEIF":
        import pillow_heif

        pillow_heif.from_pillow(picture.convert("RGB")).save(kept)
    else:
        picture.convert(mode).save(kept, form, **options)
    return kept.getvalue()


def repeated(head: bytes, unit: bytes, tail: bytes, size: int) -> bytes:
    """The unit between the others as often as fits."""
    return head + unit * ((size - len(head) - len(tail)) // len(unit)) + tail


# PNG


def chunk(kind: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(unit: bytes, place: int) -> Callable[[int], bytes]:
    """The chunk after the header, within the pixels, or after them."""
    rows = zlib.compress(b"".join(b"\0" + bytes(28) for _ in range(28)))
    head = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 28, 28, 8, 0, 0, 0, 0))
    first, second, end = chunk(b"IDAT", rows[:9]), chunk(b"IDAT", rows[9:]), chunk(b"IEND")
    before, after = [
        (head, first + second + end),
        (head + first, second + end),
        (head + first + second, end),
    ][place]
    return lambda size: repeated(before, unit, after, size)


TEXT = b"k\0" + b"\0" + zlib.compress(bytes(900_000), 9)
CHUNKS = {
    "empty": chunk(b"teSt"),
    "private": chunk(b"teSt", b"7" * 20),
    "critical": chunk(b"TeSt"),
    "tEXt": chunk(b"tEXt", b"k\0v"),
    "zTXt": chunk(b"zTXt", TEXT),
    "zTXt short": chunk(b"zTXt", b"k\0\0" + zlib.compress(b"v")),
    "iTXt": chunk(b"iTXt", b"k\0\0\0\0\0v"),
    "iTXt long": chunk(b"iTXt", b"k\0\1\0\0\0" + TEXT[3:]),
    "gAMA": chunk(b"gAMA", bytes(4)),
    "pHYs": chunk(b"pHYs", bytes(9)),
    "sRGB": chunk(b"sRGB", b"\0"),
    "cHRM": chunk(b"cHRM", bytes(32)),
    "tRNS": chunk(b"tRNS", b"\0\0"),
    "PLTE": chunk(b"PLTE", bytes(768)),
    "iCCP": chunk(b"iCCP", b"k\0\0" + zlib.compress(bytes(900_000), 9)),
    "eXIf": chunk(b"eXIf", b"II*\0\x08\0\0\0\0\0\0\0\0\0"),
    "fcTL": chunk(b"fcTL", bytes(26)),
    "IHDR": chunk(b"IHDR", struct.pack(">IIBBBBB", 28, 28, 8, 0, 0, 0, 0)),
    "IDAT": chunk(b"IDAT"),
    "fdAT": chunk(b"fdAT", bytes(5)),
}


def apng(size: int) -> bytes:
    rows = zlib.compress(b"".join(b"\0" + bytes(28) for _ in range(28)))
    head = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", 28, 28, 8, 0, 0, 0, 0))
    control = chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, 28, 28, 0, 0, 1, 10, 0, 0))
    head += chunk(b"acTL", struct.pack(">II", 1 << 20, 0)) + control + chunk(b"IDAT", rows)
    return repeated(head, control + chunk(b"fdAT", b"\0\0\0\1" + rows), chunk(b"IEND"), size)


# JPEG


def segment(marker: int, data: bytes = b"") -> bytes:
    return struct.pack(">BBH", 255, marker, len(data) + 2) + data


def jpeg(unit: bytes, *, after: bytes = b"", progressive: bool = False) -> Callable[[int], bytes]:
    """The segment behind the first marker, or before the first other with these bytes."""
    data = encoded("JPEG", progressive=progressive)
    place = data.index(after) if after else 2
    return lambda size: repeated(data[:place], unit, data[place:], size)


def scans(side: int, pixels: str = "L") -> Callable[[int], bytes]:
    """A picture in passes that say nothing new."""
    data = encoded("JPEG", side, pixels, progressive=True, quality=20)
    last = data.rindex(b"\xff\xda")
    most = len(data) + 90 * len(data[last:-2])
    return lambda size: repeated(data[:-2], data[last:-2], b"\xff\xd9", min(size, most))


def exif(entries: int, *, each: int = 0, kind: int = 2) -> bytes:
    """A directory of so many tags, each of which points to the same bytes, or is none of them."""
    tags = [
        struct.pack("<HHII", 1 + n, kind, each or 1, 8 if each else 7) for n in range(min(entries, 65535))
    ]
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(tags)) + b"".join(tags) + bytes(4)


def resources() -> bytes:
    one = b"8BIM\x04\x04\0\0\0\0\0\0"
    return b"Photoshop 3.0\0" + one * (65_000 // len(one))


def split_exif(size: int) -> bytes:
    """One directory over many segments."""
    data, whole = encoded("JPEG"), exif(65_535) + bytes(1000)
    whole += bytes(max(0, size - len(whole) - 20_000))
    pieces = [whole[place : place + 65_000] for place in range(0, len(whole), 65_000)]
    head = data[:2] + b"".join(segment(0xE1, b"Exif\0\0" + piece) for piece in pieces)
    return head + data[2:]


# GIF


def gif(unit: bytes, *, frames: bool = False) -> Callable[[int], bytes]:
    data = encoded("GIF")
    place = len(data) - 1 if frames else data.index(b",", 13 + 3 * 2 ** ((data[10] & 7) + 1))
    return lambda size: repeated(data[:place], unit, data[place:], size)


def in_one_extension(unit: bytes, kind: int) -> Callable[[int], bytes]:
    data = encoded("GIF")
    place = data.index(b",", 13 + 3 * 2 ** ((data[10] & 7) + 1))
    return lambda size: repeated(data[:place] + bytes((0x21, kind)), unit, b"\0" + data[place:], size)


def small_blocks(size: int) -> bytes:
    """The pixels of a frame in blocks of one byte."""
    side = 3000
    whole = encoded("GIF", side, "L")
    start = whole.rindex(b"," + struct.pack("<HHHH", 0, 0, side, side)) + 11
    pixels, place = b"", start
    while whole[place]:
        pixels += whole[place + 1 : place + 1 + whole[place]]
        place += 1 + whole[place]
    single = b"".join(b"\1" + pixels[n : n + 1] for n in range(len(pixels)))
    return repeated(whole[:start] + single, b"\1\0", b"\0;", size)


FRAME = b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
FRAME_OF_COLOURS = b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0x87) + bytes(768) + b"\x02\x02\x44\x01\x00"


# TIFF


def tiff(
    *tags: tuple[int, int, int, int], data: bytes = b"", big: bool = False, base: bool = True, side: int = 28
) -> bytes:
    """A grey picture of so many pixels a side, with these tags: number, type, count, value."""
    usual = [
        (256, 4, 1, side),
        (257, 4, 1, side),
        (258, 3, 1, 8),
        (259, 3, 1, 1),
        (262, 3, 1, 1),
        (277, 3, 1, 1),
        (278, 4, 1, side),
        (279, 4, 1, side * side),
    ]
    given = {tag[0] for tag in tags}
    if 273 not in given:
        usual.append((273, 4, 1, 8))
    every = sorted([*(tag for tag in usual if tag[0] not in given), *tags])
    entries = b"".join(struct.pack("<HHII", *tag) for tag in every)
    return (
        struct.pack("<2sHI", b"II", 42, 8 + len(data))
        + data
        + struct.pack("<H", len(every))
        + entries
        + bytes(4)
    )


def tiff_of_tags(kind: int, count: int, room: int = 0) -> Callable[[int], bytes]:
    def made(size: int) -> bytes:
        number = min(65_000, (size - room - 200) // 12)
        tags = [(1000 + n, kind, count, 8) for n in range(min(number, 64_000))]
        return tiff(*tags, data=bytes(max(800, room)))

    return made


def tiff_table(
    tag: int, kind: int, *more: tuple[int, int, int, int], value: int = 8
) -> Callable[[int], bytes]:
    """One tag with as many values as fit."""
    bytes_of, code = {
        1: (1, "B"),
        3: (2, "H"),
        4: (4, "I"),
        5: (8, "Q"),
        7: (1, "B"),
        12: (8, "d"),
        2: (1, "B"),
        16: (8, "Q"),
    }[kind]

    def made(size: int) -> bytes:
        count = (size - 1500) // bytes_of
        values = np.full(count, value, f"<{np.dtype(code).str[1:]}").tobytes()
        return tiff((tag, kind, count, 8 + 800), *more, data=bytes(800) + values)

    return made


def tiff_pages(size: int) -> bytes:
    one = tiff(data=bytes(800))[808:-4]
    length = len(one) + 4
    pages = [one + struct.pack("<I", 808 + (n + 1) * length) for n in range((size - 900) // length)]
    pages[-1] = one + bytes(4)
    return struct.pack("<2sHI", b"II", 42, 808) + bytes(800) + b"".join(pages)


def tiff_pages_of_tags(size: int) -> bytes:
    """As many directories as there is room for, each with 60,000 tags."""
    tags = b"".join(struct.pack("<HHII", 1000 + n, 3, 1, 7) for n in range(60_000))
    one = tiff(data=bytes(800))[810:-4] + tags
    length = len(one) + 6
    pages = [
        struct.pack("<H", len(one) // 12) + one + struct.pack("<I", 808 + (n + 1) * length)
        for n in range((size - 900) // length)
    ]
    if not pages:
        return tiff(data=bytes(800))
    pages[-1] = pages[-1][:-4] + bytes(4)
    return struct.pack("<2sHI", b"II", 42, 808) + bytes(800) + b"".join(pages)


def tiff_subdirectories(tag: int) -> Callable[[int], bytes]:
    def made(size: int) -> bytes:
        below = exif(min(60_000, (size - 900) // 12))[8:]
        return tiff((tag, 4, 1, 808), data=bytes(800) + below)

    return made


# PPM, BMP, WebP


def ppm(head: bytes, unit: bytes, tail: bytes) -> Callable[[int], bytes]:
    return lambda size: repeated(head, unit, tail, size)


def raw_ppm(kind: bytes, largest: int, samples: int) -> Callable[[int], bytes]:
    def made(size: int) -> bytes:
        side = int(((size - 30) / samples) ** 0.5)
        return b"%s\n%d %d\n%d\n" % (kind, side, side, largest) + bytes(side * side * samples)

    return made


def plain_ppm(kind: bytes, sample: bytes, each: int) -> Callable[[int], bytes]:
    def made(size: int) -> bytes:
        side = int(((size - 30) / len(sample) / each) ** 0.5)
        largest = b"" if kind == b"P1" else b"9\n"
        return b"%s\n%d %d\n" % (kind, side, side) + largest + sample * (side * side * each)

    return made


def bmp(unit: bytes, *, four_bits: bool = False, side: int = 990) -> Callable[[int], bytes]:
    bits, coding = (4, 2) if four_bits else (8, 1)
    colours = 1 << bits
    head = struct.pack("<IiiHHIIiiII", 40, side, side, 1, bits, coding, 0, 0, 0, colours, 0) + bytes(
        4 * colours
    )
    place = 14 + len(head)
    return lambda size: repeated(struct.pack("<2sIHHI", b"BM", size, 0, 0, place) + head, unit, b"\0\1", size)


def bmp_colours(size: int) -> bytes:
    count = 65_536
    head = struct.pack("<IiiHHIIiiII", 40, 28, 28, 1, 8, 0, 0, 0, 0, count, 0)
    return (
        struct.pack("<2sIHHI", b"BM", size, 0, 0, 14 + 40 + 4 * count)
        + head
        + bytes(4 * count)
        + bytes(28 * 28)
    )


def bmp_header(size: int) -> bytes:
    head = struct.pack("<IiiHHIIiiII", size, 28, 28, 1, 8, 0, 0, 0, 0, 256, 0)
    return struct.pack("<2sIHHI", b"BM", size, 0, 0, 1078) + head + bytes(max(0, size - 60))


def riff(kind: bytes, data: bytes) -> bytes:
    return kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def webp(unit: bytes, flags: int = 0, *, before: bool = False) -> Callable[[int], bytes]:
    picture = encoded("WEBP", lossless=True)[12:]
    head = riff(b"VP8X", struct.pack("<I", flags) + b"\x1b\0\0\x1b\0\0")

    def made(size: int) -> bytes:
        first, last = (head, picture) if before else (head + picture, b"")
        whole = repeated(first, unit, last, size - 12)
        return b"RIFF" + struct.pack("<I", len(whole) + 4) + b"WEBP" + whole

    return made


def webp_frames(size: int) -> bytes:
    picture = encoded("WEBP", lossless=True)[12:]
    frame = riff(b"ANMF", bytes(6) + b"\x1b\0\0\x1b\0\0" + bytes(4) + picture)
    head = riff(b"VP8X", struct.pack("<I", 2) + b"\x1b\0\0\x1b\0\0") + riff(b"ANIM", bytes(6))
    whole = repeated(head, frame, b"", size - 12)
    return b"RIFF" + struct.pack("<I", len(whole) + 4) + b"WEBP" + whole


def webp_frame_chunks(size: int) -> bytes:
    """One frame with chunks that nobody knows in it."""
    picture = encoded("WEBP", lossless=True)[12:]
    inside = repeated(
        bytes(6) + b"\x1b\0\0\x1b\0\0" + bytes(4) + picture, riff(b"teSt", b""), b"", size - 100
    )
    head = riff(b"VP8X", struct.pack("<I", 2) + b"\x1b\0\0\x1b\0\0") + riff(b"ANIM", bytes(6))
    whole = head + riff(b"ANMF", inside)
    return b"RIFF" + struct.pack("<I", len(whole) + 4) + b"WEBP" + whole


# HEIF and AVIF


def box(kind: bytes, data: bytes = b"", full: bytes = b"") -> bytes:
    return struct.pack(">I4s", 8 + len(full) + len(data), kind) + full + data


def boxes(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """The kind, start and end of each box."""
    place = 0
    while place + 8 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, place)
        yield kind, place, place + (length or len(data) - place)
        place += length or len(data)


def grown(data: bytes, path: tuple[bytes, ...], unit: bytes, many: int, counts: int = 0) -> bytes:
    """The file with the unit so many times at the end of the box at this path; pixels' offsets stay behind.

    Args:
        counts: bytes of the number of entries in the last box, behind its version; 0: it has none.
    """
    kind, start, end = next(found for found in boxes(data) if found[0] == path[0])
    inner = data[start + 8 : end]
    versioned = 4 if kind in (b"meta", b"iinf", b"iloc", b"ipma") else 0
    front, rest = inner[:versioned], inner[versioned:]
    if len(path) > 1:
        rest = grown(rest, path[1:], unit, many, counts)
    else:
        if counts:
            total = min(int.from_bytes(rest[:counts]) + many, (1 << 8 * counts) - 1)
            rest = total.to_bytes(counts) + rest[counts:]
        rest += unit * many
    return data[:start] + struct.pack(">I", 8 + len(front + rest)) + kind + front + rest + data[end:]


def heif(form: str, path: tuple[bytes, ...], unit: bytes, counts: int = 0) -> Callable[[int], bytes]:
    return lambda size: grown(encoded(form), path, unit, max(0, size - 2000) // len(unit), counts)


def after_all(form: str, unit: bytes) -> Callable[[int], bytes]:
    return lambda size: repeated(encoded(form), unit, b"", size)


def between(form: str, unit: bytes) -> Callable[[int], bytes]:
    """Boxes between the first and the second."""

    def made(size: int) -> bytes:
        data = encoded(form)
        place = int.from_bytes(data[:4])
        return repeated(data[:place], unit, data[place:], size)

    return made


INFE = box(b"infe", struct.pack(">HH4sB", 9, 0, b"hvc1", 0), b"\2\0\0\0")
ISO = {
    "boxes before": lambda form: between(form, box(b"free")),
    "boxes after": lambda form: after_all(form, box(b"free")),
    "boxes in meta": lambda form: heif(form, (b"meta",), box(b"free")),
    "items": lambda form: heif(form, (b"meta", b"iinf"), INFE, 2),
    "properties": lambda form: heif(form, (b"meta", b"iprp", b"ipco"), box(b"free")),
    "sizes": lambda form: heif(form, (b"meta", b"iprp", b"ipco"), box(b"ispe", bytes(8), bytes(4))),
    "associations": lambda form: heif(
        form, (b"meta", b"iprp"), box(b"ipma", struct.pack(">IHBB", 1, 1, 1, 1), bytes(4))
    ),
    "associated items": lambda form: heif(form, (b"meta", b"iprp", b"ipma"), struct.pack(">HBB", 1, 1, 1), 4),
    "references": lambda form: heif(
        form, (b"meta",), box(b"iref", box(b"cdsc", struct.pack(">HHH", 1, 1, 1)), bytes(4))
    ),
    "places": lambda form: heif(form, (b"meta", b"iloc"), struct.pack(">HHHII", 9, 0, 1, 0, 1)),
    "groups": lambda form: heif(
        form, (b"meta",), box(b"grpl", box(b"altr", struct.pack(">II", 1, 0), bytes(4)))
    ),
}


# PDF


def pdf(
    objects: bytes = b"", *, content: bytes = b"", resources: bytes = b"", page: bytes = b"", pages: int = 1
) -> bytes:
    """A PDF without a table of places, which a reader then makes for itself."""
    kids = b"3 0 R " * pages
    return b"".join((
        b"%PDF-1.4\n1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n",
        b"2 0 obj<</Type/Pages/Count %d/Kids[" % pages + kids + b"]>>endobj\n",
        b"3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 72 72]/Contents 4 0 R/Resources<</XObject<<",
        resources + b">>>>" + page + b">>endobj\n",
        b"4 0 obj<</Length %d>>stream\n" % len(content) + content + b"\nendstream endobj\n",
        objects + b"trailer<</Root 1 0 R>>\n%%EOF\n",
    ))  # fmt: skip


def pdf_content(unit: bytes, *, resources: bytes = b"", objects: bytes = b"") -> Callable[[int], bytes]:
    """A page with the unit as often as fits."""
    return lambda size: pdf(objects, content=unit * ((size - 1000) // len(unit)), resources=resources)


def form(number: int, content: bytes, below: bytes = b"", *, packed: bytes = b"") -> bytes:
    """A form, which a page or another form may draw again and again."""
    head = b"%d 0 obj<</Type/XObject/Subtype/Form/BBox[0 0 9 9]%s" % (number, packed)
    head += b"/Resources<</XObject<<%s>>>>/Length %d>>stream\n" % (below, len(content))
    return head + content + b"\nendstream endobj\n"


FORMS = b"".join(form(number, b"/F Do /F Do", b"/F %d 0 R" % (number + 1)) for number in range(10, 40))
PACKED = form(10, zlib.compress(b"0 0 m 9 9 l S\n" * 2_000_000, 9), packed=b"/Filter/FlateDecode")
SQUARE = b"<</Subtype/Square/Rect[0 0 9 9]>>"

GRAMMAR: dict[str, dict[str, Callable[[int], bytes]]] = {
    "PNG": {
        **{
            f"{name} chunks {where}": png(unit, place)
            for name, unit in CHUNKS.items()
            for place, where in enumerate(("before the pixels", "in the pixels", "after the pixels"))
        },
        "frames": apng,
    },
    "JPEG": {
        "COM": jpeg(segment(0xFE)),
        "APP9": jpeg(segment(0xE9)),
        "APP0": jpeg(segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0")),
        "APP1 XMP": jpeg(segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0x")),
        "APP1 EXIF": jpeg(segment(0xE1, b"Exif\0\0" + exif(1))),
        "APP1 EXIF long": jpeg(segment(0xE1, b"Exif\0\0" + exif(1) + bytes(2400))),
        "APP1 EXIF of tags": jpeg(segment(0xE1, b"Exif\0\0" + exif(5400))),
        "APP1 EXIF of shared values": jpeg(segment(0xE1, b"Exif\0\0" + exif(5400, each=60_000))),
        "EXIF over segments": split_exif,
        "APP2 ICC": jpeg(segment(0xE2, b"ICC_PROFILE\0\1\1x")),
        "APP2 MPF": jpeg(segment(0xE2, b"MPF\0" + exif(5400))),
        "APP13": jpeg(segment(0xED, resources())),
        "APP14": jpeg(segment(0xEE, b"Adobe" + bytes(7))),
        "DQT": jpeg(segment(0xDB, (b"\0" + bytes(64)) * 1000)),
        "DQT single": jpeg(segment(0xDB, b"\0" + bytes(64))),
        "DHT": jpeg(segment(0xC4, b"\0" + bytes(16))),
        "DRI": jpeg(segment(0xDD, b"\0\0")),
        "SOF": jpeg(segment(0xC0, b"\x08\0\x1c\0\x1c\1" + b"\1\x11\0" * 21_000)),
        "SOF short": jpeg(segment(0xC0, b"\x08\0\x1c\0\x1c\1\1\x11\0")),
        "fill": jpeg(b"\xff"),
        "junk": jpeg(b"\0"),
        "stuffed": jpeg(b"\xff\0"),
        "SOI": jpeg(b"\xff\xd8"),
        "RST": jpeg(b"\xff\xd0"),
        "after the pixels": jpeg(segment(0xFE), after=b"\xff\xd9"),
        "COM before a scan": jpeg(segment(0xFE), after=b"\xff\xda"),
        "RST in the pixels": jpeg(b"\xff\xd0", after=b"\xff\xd9"),
        "TEM in the pixels": jpeg(b"\xff\x01", after=b"\xff\xd9"),
        "COM between scans": jpeg(segment(0xFE), after=b"\xff\xd9", progressive=True),
        "scans": scans(28),
        "scans of 12 Mpx": scans(3460),
        "scans in colour": scans(3460, "RGB"),
        "scans of 60 Mpx": scans(7700),
    },
    "GIF": {
        "comments": gif(b"\x21\xfe\0"),
        "comments of a byte": gif(b"\x21\xfe\1x\0"),
        "applications": gif(b"\x21\xff\x0bNETSCAPE2.0\3\1\0\0\0"),
        "graphic controls": gif(b"\x21\xf9\4\0\0\0\0\0"),
        "texts": gif(b"\x21\x01\0"),
        "unknown": gif(b"\x21\x99\0"),
        "junk": gif(b"\0"),
        "blocks in a comment": in_one_extension(b"\1x", 0xFE),
        "blocks in an application": in_one_extension(b"\1x", 0xFF),
        "blocks in an unknown": in_one_extension(b"\1x", 0x99),
        "frames": gif(FRAME, frames=True),
        "frames with colours": gif(FRAME_OF_COLOURS, frames=True),
        "comments after": gif(b"\x21\xfe\0", frames=True),
        "blocks of pixels": small_blocks,
    },
    "TIFF": {
        "tags": tiff_of_tags(3, 1),
        "tags of text": tiff_of_tags(2, 80),
        "tags of rationals": tiff_of_tags(5, 10),
        "tags that share bytes": tiff_of_tags(7, 9_000_000, 9_100_000),
        "tags that share numbers": tiff_of_tags(3, 40_000, 90_000),
        "720 KB of tags": lambda size: tiff_of_tags(3, 1)(min(size, 720_000)),
        "pages": tiff_pages,
        "pages of tags": tiff_pages_of_tags,
        "EXIF tags": tiff_subdirectories(34665),
        "GPS tags": tiff_subdirectories(34853),
        "subdirectory tags": tiff_subdirectories(330),
        **{
            f"values of {tag} as {kind}": tiff_table(tag, kind)
            for tag in (258, 273, 279, 282, 320, 338, 339, 530, 700, 34675, 65000, 270)
            for kind in (1, 2, 3, 4, 5, 12)
        },
        "strips": tiff_table(273, 4, (278, 4, 1, 1), (257, 4, 1, 2_000_000)),
        "strips of a row": tiff_table(273, 4, (278, 4, 1, 1), (257, 4, 1, 60_000)),
        "tiles": tiff_table(324, 4, (322, 4, 1, 1), (323, 4, 1, 1), (256, 4, 1, 2000), (257, 4, 1, 1000)),
        "colours": tiff_table(320, 3, (262, 3, 1, 3)),
        "colours of bytes": tiff_table(320, 1, (262, 3, 1, 3)),
        "packed strips": tiff_table(273, 4, (278, 4, 1, 1), (257, 4, 1, 2_000_000), (259, 3, 1, 32773)),
    },
    "PPM": {
        "one comment": ppm(b"P5\n#", b"x", b"\n28 28\n255\n" + bytes(784)),
        "comments": ppm(b"P5\n", b"#\n", b"28 28\n255\n" + bytes(784)),
        "whitespace": ppm(b"P5", b" ", b"28 28\n255\n" + bytes(784)),
        "digits": ppm(b"P5\n", b"0", b"28 28\n255\n" + bytes(784)),
        "comments of plain": ppm(b"P2\n28 28\n9\n", b"#\n", b"7 " * 784),
        "one comment of plain": ppm(b"P2\n28 28\n9\n#", b"x", b"\n" + b"7 " * 784),
        "whitespace of plain": ppm(b"P2\n28 28\n9\n", b" ", b"7 " * 784),
        "comments in plain": ppm(b"P1\n28 28\n", b"#\n", b"1" * 784),
        "P1": plain_ppm(b"P1", b"1", 1),
        "P1 spaced": plain_ppm(b"P1", b"1 ", 1),
        "P2": plain_ppm(b"P2", b"7 ", 1),
        "P3": plain_ppm(b"P3", b"7 ", 3),
        "P2 commented": plain_ppm(b"P2", b"7#\n", 1),
        "P5 of 9": raw_ppm(b"P5", 9, 1),
        "P6 of 9": raw_ppm(b"P6", 9, 3),
        "P5 of 999": raw_ppm(b"P5", 999, 2),
        "P6 of 999": raw_ppm(b"P6", 999, 6),
        "P5 of 65535": raw_ppm(b"P5", 65535, 2),
        "P6 of 65535": raw_ppm(b"P6", 65535, 6),
        "P5": raw_ppm(b"P5", 255, 1),
        "Pf": raw_ppm(b"Pf", 1, 4),
    },
    "BMP": {
        "runs": bmp(b"\1\1"),
        "runs of four bits": bmp(b"\1\1", four_bits=True),
        "long runs": bmp(b"\xff\1"),
        "long runs of four bits": bmp(b"\xff\1", four_bits=True),
        "lines": bmp(b"\0\0"),
        "pieces": bmp(b"\0\4abcd"),
        "pieces of four bits": bmp(b"\0\4ab", four_bits=True),
        "jumps": bmp(b"\0\2\1\0"),
        "jumps nowhere": bmp(b"\0\2\0\0"),
        "runs in a large picture": bmp(b"\1\1", side=7000),
        "colours": bmp_colours,
        "header": bmp_header,
    },
    "WebP": {
        "unknown": webp(riff(b"teSt", b"")),
        "unknown before": webp(riff(b"teSt", b""), before=True),
        "EXIF": webp(riff(b"EXIF", exif(1)), 8),
        "EXIF of tags": webp(riff(b"EXIF", exif(60_000)), 8),
        "XMP": webp(riff(b"XMP ", b"x"), 4),
        "ICC": webp(riff(b"ICCP", b"x"), 32, before=True),
        "alpha": webp(riff(b"ALPH", b"\0"), 16, before=True),
        "frames": webp_frames,
        "unknown in a frame": webp_frame_chunks,
    },
    "HEIF": {name: made("HEIF") for name, made in ISO.items()},
    "AVIF": {name: made("AVIF") for name, made in ISO.items()},
    "PDF": {
        "comments": lambda size: pdf(objects=b"%\n" * ((size - 600) // 2)),
        "objects": lambda size: pdf(
            objects=b"".join(b"%d 0 obj 1 endobj\n" % n for n in range(10, (size - 600) // 22))
        ),
        "one object again": lambda size: pdf(objects=b"9 0 obj 1 endobj\n" * ((size - 600) // 17)),
        "trailers": lambda size: pdf(objects=b"trailer<</Root 1 0 R>>\n" * ((size - 600) // 23)),
        "pages": lambda size: pdf(pages=(size - 600) // 6),
        "keys": lambda size: pdf(page=b"".join(b"/K%d 1" % n for n in range((size - 600) // 11))),
        "lists in lists": lambda size: pdf(page=b"/X" + b"[" * (size // 2 - 600) + b"]" * (size // 2 - 600)),
        "numbers": lambda size: pdf(page=b"/X[" + b"1 " * ((size - 600) // 2) + b"]"),
        "annotations": lambda size: pdf(page=b"/Annots[" + SQUARE * ((size - 600) // 33) + b"]"),
        "lines": pdf_content(b"0 0 m 9 9 l S\n"),
        "rectangles": pdf_content(b"0 0 9 9 re f\n"),
        "states": pdf_content(b"q Q\n"),
        "nested states": pdf_content(b"q "),
        "clips": pdf_content(b"0 0 9 9 re W n\n"),
        "words": pdf_content(b"x "),
        "inline pictures": pdf_content(b"BI/W 1/H 1/BPC 8/CS/G ID x EI\n"),
        "shadings": pdf_content(b"/S sh\n"),
        "forms": pdf_content(b"/F Do\n", resources=b"/F 10 0 R", objects=form(10, b"0 0 9 9 re f")),
        "forms in forms": lambda _: pdf(FORMS, content=b"/F Do", resources=b"/F 10 0 R"),
        "packed lines": lambda _: pdf(PACKED, content=b"/F Do", resources=b"/F 10 0 R"),
    },
}


def taken(data: bytes) -> tuple[float, str]:
    """Seconds to read or refuse a file, and which."""
    start = time.perf_counter()
    try:
        DigitImage.open(data)
    except ImageError as error:
        return time.perf_counter() - start, str(error)
    return time.perf_counter() - start, "read"


def photo() -> float:
    """Seconds to decode a photo of 12 million pixels."""
    noise = np.random.default_rng(7).normal(128, 6, (3000, 4000, 3)).astype(np.uint8)
    kept = io.BytesIO()
    Image.fromarray(noise).save(kept, "JPEG", quality=90)
    times = []
    for _ in range(3):
        start = time.perf_counter()
        Image.open(io.BytesIO(kept.getvalue())).load()
        times.append(time.perf_counter() - start)
    return min(times)


def main(size: int, only: str = "") -> int:
    """Print the slowest of each format; 1 where one takes too long."""
    warnings.simplefilter("ignore")
    DigitImage.open(encoded("PNG"))
    whole = photo()
    print(f"a photo of 12 million pixels: {whole:.3f} s")
    worst: defaultdict[str, list[tuple[float, str, str]]] = defaultdict(list)
    for form, elements in GRAMMAR.items():
        if only and form != only:
            continue
        for name, made in elements.items():
            for part in (1, 10, 100):  # a small file may pass a bound that a large one does not
                seconds, what = taken(made(size // part))
                worst[form].append((seconds, f"{name}, {size // part / 1e6:g} MB", what))
        for seconds, name, what in sorted(worst[form], reverse=True)[: 8 if only else 3]:
            print(
                f"{form:5} {seconds:6.2f} s  {seconds / whole:5.1f} times  {name}: {what[:100]}", flush=True
            )
    slowest = max(times[0] for all_of in worst.values() for times in all_of)
    return 1 if slowest > MOST_TIMES * whole else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else LIMIT, *sys.argv[2:3]))
