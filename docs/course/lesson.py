"""Draw a lesson's pictures and write its figures into its page; every lesson's script uses this module.

A figure stands in the page between two comments, which GitHub and the site do not show:
``<!--accuracy-->98.1 %<!--/-->``. The lesson's script gives a text for each name, which replaces the text
between the comments. A text may have several lines, such as the output of a command.
"""

import io
import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import run
from matplotlib.figure import Figure
from numpy.typing import NDArray
from PIL import Image

from digitrec.lab.datasets import digits
from digitrec.report.plots import STYLE

ROOT = Path(__file__).resolve().parents[2]
COURSE = ROOT / "docs" / "course"
IMAGES = ROOT / "docs" / "images" / "course"
MARK = re.compile(r"<!--([a-z][a-z0-9-]*)-->(.*?)<!--/-->", re.DOTALL)
"""A figure in a page: its name and its text."""
COLOURS = 128
"""Number of colours of a picture in a page; few colours make a small file."""
DPI = 110
"""Dots per inch: a figure 8 inches wide fills the column of a page."""


def merely_shrunk(path: Path) -> NDArray[np.uint8]:
    """Shrink a photo as many tutorials do: grey, 28x28, inverted to light ink; (28, 28)."""
    grey = Image.open(path).convert("L").resize((28, 28), Image.Resampling.BOX)
    return 255 - np.asarray(grey, np.uint8)


def in_form(pictures: Iterable[NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Return the pictures as a network receives them, (N, 28, 28)."""
    return np.stack([digits.in_form(one) for one in pictures])


def picture(figure: Figure, name: str) -> None:
    """Save a figure as docs/images/course/NAME.png, on white."""
    data = io.BytesIO()
    with mpl.rc_context(STYLE):
        look: dict[str, Any] = {"dpi": DPI, "facecolor": "white", "bbox_inches": "tight", "pad_inches": 0.08}
        figure.savefig(data, format="png", metadata={"Software": None}, **look)
    keep(Image.open(data), name)


def keep(image: Image.Image, name: str) -> None:
    """Save a picture as docs/images/course/NAME.png, as a small file."""
    IMAGES.mkdir(parents=True, exist_ok=True)
    few = image.convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    few.save(IMAGES / f"{name}.png", optimize=True)


def printed(command: str, folder: Path = ROOT) -> str:
    """Return the output of a digitrec command as a block for a page.

    Raises:
        subprocess.CalledProcessError: it failed.
    """
    program, *words = shlex.split(command)
    line = [sys.executable, "-m", program, *words]
    done = subprocess.run(line, cwd=folder, capture_output=True, text=True, check=True)
    rows = [row.rstrip() for row in done.stdout.strip().splitlines()]
    return "\n".join(["", "```text", *rows, "```", ""])


def outputs(page: Path, names: dict[str, Any] | None = None) -> list[str]:
    """Return the output of each block of Python in a page, as a block for that page.

    The blocks share the names in `names`, from which pictures of a reader's results can be drawn.
    """
    names = {} if names is None else names
    names["__name__"] = "lesson"
    said = []
    for step in run.steps(page):
        if step.language == "python":
            with redirect_stdout(io.StringIO()) as out:
                run.run(step, names)
            said.append(f"\n```text\n{out.getvalue().rstrip()}\n```\n")
    return said


def filled(page: str, figures: Mapping[str, str]) -> str:
    """Fill in each figure of the page.

    Raises:
        SystemExit: the page has a figure that the script does not give, or the other way round.
    """
    asked = {name for name, _ in MARK.findall(page)}
    if asked != set(figures):
        sys.exit(f"only in the page or only in the script: {', '.join(sorted(asked ^ set(figures)))}")
    return MARK.sub(lambda found: f"<!--{found[1]}-->{figures[found[1]]}<!--/-->", page)


def table(page: str) -> dict[str, list[str]]:
    """Return the rows of a page's tables: the first cell mapped to the cells after it."""
    found = {}
    for line in (ROOT / page).read_text(encoding="utf-8").splitlines():
        if line.startswith("| "):
            first, *cells = (cell.strip() for cell in line.strip("| ").split("|"))
            found.setdefault(first, cells)
    return found


def page_of(script: Path) -> Path:
    """Return the page of a script: of make_2.py the one whose name begins with "2-"."""
    (page,) = COURSE.glob(f"{script.stem.removeprefix('make_')}-*.md")
    return page


def main(script: Path, make: Callable[[], Mapping[str, str]]) -> None:
    """Draw the pictures of a lesson and write its figures into its page.

    Args:
        script: the lesson's, its ``__file__``.
        make: draws the pictures and returns the figures by name.
    """
    page = page_of(script.resolve())
    page.write_text(filled(page.read_text(encoding="utf-8"), make()), encoding="utf-8")
