"""Write self-contained HTML pages, which fetch nothing."""

from __future__ import annotations

import base64
import html
import io
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from importlib.resources import files
from string import Template

from digitrec import __version__
from digitrec.errors import ImageError
from digitrec.errors.text import printable
from digitrec.image import DigitImage, ImageSource
from digitrec.report.rows import Table

PICTURE_SIDE = 320
"""Longest side of a picture, in pixels."""
THUMBNAIL = 128
"""Longest side of a picture among many, in pixels."""


def page(title: str, parts: Iterable[str]) -> str:
    """Return a page with a title in plain text and parts in HTML; it names the version and the time."""
    template = Template((files("digitrec.report") / "page.html").read_text(encoding="utf-8"))
    made = f"digitrec {__version__}, {datetime.now(UTC):%Y-%m-%d %H:%M} UTC"
    return template.substitute(title=text(title), body="\n".join([soft(made), *parts]))


def text(words: str) -> str:
    """Return text as HTML, with markup and invisible characters escaped."""
    return html.escape(printable(words))


def soft(words: str) -> str:
    """Return a paragraph in small grey type."""
    return f'<p class="soft">{text(words)}</p>'


def section(title: str, body: str) -> str:
    """Return a section with a heading."""
    return f"<section>\n<h2>{text(title)}</h2>\n{body}\n</section>"


def table_of(table: Table) -> str:
    """Return a table of plain text; numbers are aligned right."""
    (head, *rows), figures = table.filled()
    kinds = [' class="number"' if is_figure else "" for is_figure in figures]

    def row(tag: str, scope: str, cells: Sequence[str]) -> str:
        written = (
            f"<{tag}{scope}{kind}>{text(cell)}</{tag}>" for kind, cell in zip(kinds, cells, strict=True)
        )
        return f"<tr>{''.join(written)}</tr>"

    body = "\n".join(row("td", "", cells) for cells in rows)
    top = row("th", ' scope="col"', head)
    return f'<div class="wide"><table><thead>{top}</thead>\n<tbody>\n{body}\n</tbody></table></div>'


def table_section(table: Table) -> str:
    """Return a section with a table under its title and its note."""
    note = soft(table.note) if table.note else ""
    return section(table.title, note + table_of(table))


def picture(source: ImageSource, alt: str, side: int = PICTURE_SIDE) -> str:
    """Return a downscaled picture without metadata, or the error if it cannot be read."""
    try:
        small = DigitImage.open(source).thumbnail(side)
    except ImageError as error:
        return soft(str(error))
    data = io.BytesIO()
    small.save(data, "PNG", optimize=True)
    code = base64.b64encode(data.getvalue()).decode("ascii")
    size = f'width="{small.width}" height="{small.height}"'
    return f'<img src="data:image/png;base64,{code}" {size} alt="{text(alt)}">'
