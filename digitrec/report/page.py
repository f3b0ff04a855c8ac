"""The parts of a self-contained HTML page: nothing in it is fetched from anywhere."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.resources import files
from string import Template

from digitrec import __version__
from digitrec.errors import ImageError
from digitrec.errors.text import printable
from digitrec.image import DigitImage, ImageSource

PICTURE_SIDE = 320
"""Pictures are shown at most so large, in pixels."""


def page(title: str, parts: Iterable[str]) -> str:
    """A whole page; the parts are HTML already, the title is text."""
    template = Template((files("digitrec.report") / "page.html").read_text(encoding="utf-8"))
    return template.substitute(title=text(title), body="\n".join(parts))


def text(words: str) -> str:
    """Words as HTML, so that no name of a file or text on a picture becomes markup or hides."""
    return html.escape(printable(words))


def versions() -> str:
    """Which digitrec made the page, and when."""
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
    return f'<p class="soft">digitrec {text(__version__)}, {now}</p>'


def section(title: str, body: str, *, long: bool = False) -> str:
    """A part with a heading; a long one may be broken across printed pages."""
    kind = ' class="long"' if long else ""
    return f"<section{kind}>\n<h2>{text(title)}</h2>\n{body}\n</section>"


def table(header: Sequence[str], rows: Iterable[Sequence[str]], numbers: Collection[int] = ()) -> str:
    """A table of plain text; the columns in ``numbers`` are set to the right."""
    mark = [' class="number"' if place in numbers else "" for place in range(len(header))]
    head = "".join(
        f'<th scope="col"{kind}>{text(cell)}</th>' for kind, cell in zip(mark, header, strict=True)
    )
    body = "\n".join(
        "<tr>"
        + "".join(f"<td{kind}>{text(cell)}</td>" for kind, cell in zip(mark, row, strict=True))
        + "</tr>"
        for row in rows
    )
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead>\n<tbody>\n{body}\n</tbody></table></div>'


def listing(entries: Mapping[str, str]) -> str:
    """Names and what they stand for, as a table without a header."""
    rows = "".join(
        f'<tr><th scope="row">{text(name)}</th><td>{text(it)}</td></tr>' for name, it in entries.items()
    )
    return f'<div class="wide"><table>{rows}</table></div>'


def picture(source: ImageSource, alt: str, side: int = PICTURE_SIDE) -> str:
    """The picture itself, made small, without its metadata; words in its place when it cannot be read."""
    try:
        small = DigitImage.open(source).thumbnail(side)
    except ImageError as error:
        return f'<p class="soft">{text(str(error))}</p>'
    data = io.BytesIO()
    small.save(data, "PNG", optimize=True)
    code = base64.b64encode(data.getvalue()).decode("ascii")
    size = f'width="{small.width}" height="{small.height}"'
    return f'<img src="data:image/png;base64,{code}" {size} alt="{text(alt)}">'
