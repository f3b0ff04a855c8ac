"""Of the pages on pictures: what is read, how many at once, what is written, and what a scene is made of."""

from __future__ import annotations

import io
import json
import runpy
from pathlib import Path

from PIL import Image

from digitrec.benchmark.measures import CONFIDENCE_LEVEL
from digitrec.bulk import job, run
from digitrec.datasets.mnist import mnist_test
from digitrec.evaluation import accuracy
from digitrec.handwriting import spoiled
from digitrec.image import files, headers, pdf, pixels, shrinking
from digitrec.image.formats import MAX_FRAMES
from digitrec.image.headers import header
from digitrec.prepare import neighbours
from digitrec.process import READER_GONE
from digitrec.providers.local import Local
from digitrec.recognise.pipeline import HELD_BYTES
from digitrec.text import percent
from digitrec.web.settings import Settings

ROOT = Path(__file__).parents[2]
MB = 1_000_000
SERVER = Settings()
PIXELS, BYTES = f"{pixels.MAX_PIXELS // MB} million", f"{files.MAX_FILE_BYTES // MB} MB"

SCENERY, HEADERS = "digitrec/handwriting/scenery.py", "digitrec/image/headers.py"
CELLS = "digitrec/handwriting/cells.py"
SIDE = 2 * shrinking.ENOUGH_SIDE
"""From here on a JPEG is decoded at half its size."""


def memory_of_a_pixel(form: str, mode: str, side: int = 100, **options: object) -> int:
    """Bytes that decoding takes for each pixel of a picture, and its file where that is not compressed, as its
    header tells."""
    taken = []
    for height in (side, side + 100):
        data = io.BytesIO()
        Image.new(mode, (side, height)).save(data, form, **options)
        taken.append(header(data.getvalue()).memory)
    return (taken[1] - taken[0]) // (100 * side)


def most(each: float, besides: float = 0) -> int:
    """Millions of pixels that may be in a picture, at so many bytes for each, and some for all of it."""
    return int(min(pixels.MAX_PIXELS, (headers.MAX_DECODING_BYTES - besides) / each) / MB)


def figures() -> dict[str, str]:
    """What docs/make_figures.py knows."""
    return dict(runpy.run_path(str(ROOT / "docs" / "make_figures.py"))["figures"]())


BOUND, BESIDES = headers.MAX_DECODING_BYTES // MB, 30
"""Megabytes, for decoding and for all else; `tests/image/test_headers.py` holds the second, and their sum."""
COLOUR, WEBP = memory_of_a_pixel("PNG", "RGB"), memory_of_a_pixel("WEBP", "RGB")
AVIF = 4 + headers._BESIDES["AVIF"]  # Pillow may be without it
PHONE, MORE_BITS = headers._HEIF[8, 420], 16
GREY = [memory_of_a_pixel("PNG", mode) for mode in ("L", "I;16")]
GREY += [memory_of_a_pixel(form, mode) for form in ("GIF", "BMP", "TIFF") for mode in ("L", "P")]
PLAIN = [memory_of_a_pixel(form, "RGB") for form in ("BMP", "PPM", "TIFF")]
STRIP = [memory_of_a_pixel("TIFF", mode, compression="tiff_lzw") for mode in ("RGB", "F")]
STRIP.append(memory_of_a_pixel("TIFF", "F"))
IN_TIFF = [memory_of_a_pixel("TIFF", mode, compression="jpeg") for mode in ("L", "RGB")]
PAGE = pdf._DRAWN * pdf.MOST_DRAWN
assert GREY == [1, 2, 1, 1, 2, 2, 2, 2]
assert len({*PLAIN}) == len({*STRIP}) == 1
assert pdf._BESIDES == 0.5


def plan_on_paper() -> list[str]:
    """The paragraphs and the table of docs/batch.md that follow from what bench/batch.json keeps."""
    kept = json.loads((ROOT / "bench" / "batch.json").read_text(encoding="utf-8"))
    planned = runpy.run_path(str(ROOT / "bench" / "plan.py"))["planned"]
    return "\n".join(planned(kept["workers"])).split("\n\n")


CLAIMS = {
    "docs/library.md": [
        f"as much as it works on at once, {Local.batch} pictures or {HELD_BYTES // MB} MB of what an "
        "engine is sent",
        f"a page is drawn at {pdf.DPI} dots an inch, coarser where that would be more than "
        f"{pdf.MOST_DRAWN // MB} million pixels (an A3 page)",
        f"What a decoder would need more than {BOUND} MB for, told from the header, is refused: a WebP from "
        f"{most(WEBP)} million pixels on, an AVIF from {most(AVIF)}, a HEIC from {most(PHONE)} as telephones write "
        f"them, a PNG in colour from {most(COLOUR)}",
        f"A picture whose shorter side has {2 * shrinking.ENOUGH_SIDE:,} pixels or more is made smaller while it is "
        f"decoded (its shorter side stays at {shrinking.ENOUGH_SIDE} or more), "
        f"and so is one of more than {shrinking.MOST_PIXELS // MB} million pixels",
        f"More than {BYTES}, or more than {PIXELS} pixels by the header, is refused",
        f"A file of more than {MAX_FRAMES:,} pictures is not read one by one.",
        "It takes four readings, of a network on 28x28 pixels only.",
    ],
    "docs/reliability.md": [
        f"Nothing is decoded that is more than {PIXELS} pixels by its header "
        f"or {BYTES} as a file (the server: [less](api.md#limits))",
        f"| One picture takes at most {BOUND + BESIDES} MB, in every door",
        f"**The bound:** {BOUND} MB for decoding, the file itself among them, told from the header "
        f"(`digitrec/image/headers.py`), and less than {BESIDES} MB for all else",
        f"A JPEG in more than {headers.MAX_SCANS} passes",
        f"| PNG, GIF, BMP, TIFF, in grey or with a palette | {min(map(most, GREY))} | {GREY[0]} byte (of 16 bits: "
        f"{GREY[1]}); of BMP and TIFF as much again for the file or a strip |",
        f"| PNG in colour | {most(COLOUR)} | Pillow's {COLOUR} bytes |",
        f"| BMP, PPM and plain TIFF, in colour | {most(max(PLAIN))} | the same, and {max(PLAIN) - COLOUR} for the file |",
        f"| JPEG | {most(memory_of_a_pixel('JPEG', 'RGB', SIDE))} as cameras write them, "
        f"{most(memory_of_a_pixel('JPEG', 'RGB', SIDE, subsampling=0))} in full colour | a quarter of {COLOUR} bytes, as it "
        f"is decoded at half its size or less, and 2 for each coefficient |",
        f"| TIFF, compressed in colour, or of floats | {most(max(STRIP))} | {max(STRIP)} bytes: as if it were one strip |",
        f"| TIFF with a JPEG in it | {most(IN_TIFF[0])} in grey, {most(IN_TIFF[1])} in colour | {IN_TIFF[0]} or "
        f"{IN_TIFF[1]} bytes: its coefficients besides |",
        f"| HEIC | {most(PHONE)} as telephones write them, {most(MORE_BITS)} of more bits | {PHONE} to {MORE_BITS} bytes |",
        f"| WebP | {most(WEBP)} | {WEBP} bytes |",
        f"| AVIF | {most(AVIF)} | {AVIF} bytes |",
        f"| PDF | {pdf.MOST_DRAWN // MB} of a page; of the pictures on it {most(3 + pdf._BESIDES, PAGE)} in colour, "
        f"{int((headers.MAX_DECODING_BYTES - PAGE) / (1 + pdf._BESIDES) / MB)} in grey | {pdf._DRAWN} for the page; for a "
        f"picture its own bits and half a byte |",
        f"| an array, or a Pillow picture that is loaded | {pixels.MAX_PIXELS // MB} | nothing but its owner's |",
    ],
    "docs/batch.md": [
        *plan_on_paper(),
        f"A plan of 100 million lines is about {100 * 60 / 1000:g} GB and its {100 * MB // job.MOST:,} parts are as many "
        f"files; 10,000 million pictures are better given as 100 runs",
        f"A part has {job.LEAST} to {job.MOST:,} pictures (`--part`).",
        f"after the {('', '', '', '', 'fourth')[run.DEATHS + 1]} death of a part (Dask's `allowed-failures` is "
        f"{run.DEATHS})",
    ],
    "docs/scenes.md": [
        f"{accuracy.SCENES} of each for `digitrec evaluate`",
        f"parts closer than {neighbours.PIECE:.0%} of the height".replace("%", " %"),
        f"`{' '.join(spoiled.SIGNS[:11])}`, seven letters and a few pairs",
    ],
    "docs/output.md": [
        f'0.9997 is "{percent(0.9997)}", 0.0004 "{percent(0.0004)}"',
        f"with {READER_GONE} (128 + SIGPIPE",
    ],
    "docs/comparing.md": [f"**`mnist-test`**, the {len(mnist_test()):,} digits"],
    "docs/tutorial.md": [
        f"accuracy with its {100 * CONFIDENCE_LEVEL:g} % interval",
        f"With all {len(mnist_test()):,} digits (`--limit 10000`, the default)",
    ],
    "samples/SOURCES.md": [f"| HWD-1000, {figures()['pictures: hwd1000']} digits"],
    "docs/api.md": [
        f"({(SERVER.max_decoding_bytes - SERVER.max_body_bytes) // memory_of_a_pixel('PNG', 'RGB') // MB} million pixels of a PNG in colour, "
        f"{pixels.MAX_PIXELS // MB} million of a grey one, "
        f"{(SERVER.max_decoding_bytes - SERVER.max_body_bytes) // memory_of_a_pixel('WEBP', 'RGB') // MB} million of a WebP)",
    ],
}
assert pixels.MAX_PIXELS * memory_of_a_pixel("PNG", "L") < SERVER.max_decoding_bytes

QUOTED = [
    ("docs/scenes.md", "three in ten straight, the others turned by up to 20 degrees",
     SCENERY, "rng.uniform(-20, 20) if rng.random() < 0.7 else 0.0"),
    ("docs/scenes.md", "| blurred by 2 to 6 % | out of focus; the blur's standard deviation",
     SCENERY, "blur=rng.uniform(0.02, 0.06) * len(ink)"),
    ("docs/scenes.md", 'one in four "(3)"', SCENERY, "[: 1 + int(rng.random() < 0.25)]"),
    ("docs/scenes.md", "one in five brackets square", "digitrec/handwriting/props.py", "if rng.random() < 0.2:"),
    ("docs/scenes.md", "10 to 35 % of the height away", SCENERY, "round(len(ink) * rng.uniform(0.1, 0.35))"),
    ("docs/scenes.md", "as high as the digit or up to 1.4 times", SCENERY, "round(len(ink) * rng.uniform(1.0, 1.4))"),
    ("docs/scenes.md", "by one line or two, 6 to 20 % of the height below", SCENERY, "y += height * rng.uniform(0.06, 0.2)"),
    ("docs/scenes.md", "one in three a cell of a table", SCENERY, "if rng.random() < 0.33 else 0.0"),
    ("docs/scenes.md", "which takes 30 to 60 % of the light", SCENERY, "rng.uniform((0.3, 0.01), (0.6, 0.06))"),
    ("docs/scenes.md", "a quarter of the digit's height apart to twice", SCENERY, 'rng.uniform(0.25 if ruling == "squares"'),
    ("docs/scenes.md", "each side up to 6 % of its height off, or 2 % into it", CELLS, "rng.uniform(-0.02, 0.06, 4)"),
    ("docs/scenes.md", "of 3 to 12 % of the height, on one to four sides", CELLS, "rng.uniform(0.03, 0.12)"),
    ("docs/scenes.md", "of 16, 20 or 32 pixels, half of them one bit a pixel", CELLS, "_FORMS = (16, 20, 32)"),
    ("docs/scenes.md", "| half outside the picture | 40 to 60 % of it;",
     "digitrec/handwriting/spoiled.py", "rng.uniform(0.4, 0.6)"),
    ("CONTRIBUTING.md", "starts 200 processes of 16 threads", "justfile", 'stress processes="200":'),
    ("CONTRIBUTING.md", "of 16 threads that all ask first", "bench/stress.py", "THREADS = 16"),
    ("docs/library.md", "starts 200 fresh processes of 16 threads", "justfile", 'stress processes="200":'),
    ("docs/tutorial.md", "(225,034 parameters, asserted by a test)", "tests/training/test_networks.py", "== 225_034"),
    ("docs/coming-from.md", "its CNN, 225,034 parameters", "tests/training/test_networks.py", "== 225_034"),
    ("docs/page.md", "at most four questions a second", "digitrec/web/static/live.js", "INTERVAL_MS = 250"),
    ("docs/deploying.md", "a read-only system and a gigabyte", "deploy/digitrec.service", "MemoryMax=1G"),
    ("docs/deploying.md", "as a user without rights (10001)", "Dockerfile", "USER 10001"),
    ("docs/tutorial.md", "fifteen predictions against the truth", "digitrec/plots/evaluation.py", "GRID = (3, 5)"),
    ("docs/reliability.md", f"{BOUND + BESIDES} MB", "tests/image/test_headers.py", "taken < 256_000_000"),
    ("docs/reliability.md", f"less than {BESIDES} MB for all else", "tests/image/test_headers.py", "SLACK = 30_000_000"),
    ("docs/reliability.md", f"{MORE_BITS} bytes |", HEADERS, "13 if bits == 8 else 16"),
    ("docs/reliability.md", "may take 13 bytes of a pixel until then", HEADERS, "13 if bits == 8 else 16"),
    ("docs/reliability.md", "A process with at most 1 GB more", "bench/fuzz.py", "MEMORY_MB = 1024"),
    ("docs/reliability.md", "`bench/kills.py` (50 processes)", "bench/kills.py", "PROCESSES = 50"),
]  # fmt: skip
"""Figures that stand in the middle of a line of code: a page, what it says, a file, and what that must hold."""
