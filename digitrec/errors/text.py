"""Format values and names the same way everywhere: shares as per cent, names on one line, columns."""

import codecs
from collections.abc import Container, Iterable, Iterator, Sequence

UNSEEN = frozenset(
    [0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810), 0x2800, 0x3164, 0xFFA0,
     *range(0xFE00, 0xFE10), *range(0xE0100, 0xE01F0)]
)  # fmt: skip
"""Characters that are invisible although Python calls them printable: the letters and marks among Unicode's
Default_Ignorable_Code_Point, and the blank of Braille."""


def encoding(data: bytes) -> str:
    """Return the encoding of a text from its first bytes: UTF-8, or UTF-16 as PowerShell writes it."""
    return "utf-16" if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"


def percent(share: float | None, places: int = 1) -> str:
    """Format a share of 1 as per cent; return "" for None.

    Only 1 becomes "100.0%" and only 0 becomes "0.0%"; a share that rounds to them is ">99.9%" or "<0.1%".
    """
    if share is None:
        return ""
    share = round(share, 12)  # a mean of ones may differ slightly from 1
    least = 10.0 ** -(places + 2)
    text = f"{share:.{places}%}"
    if share < 1 and text == f"{1:.{places}%}":
        return f">{1 - least:.{places}%}"
    if share > 0 and text == f"{0:.{places}%}":
        return f"<{least:.{places}%}"
    return text


def plain(number: float, figures: int = 6) -> str:
    """Format a number with this many significant figures, without a power of ten: "0.0000198"."""
    from decimal import Decimal

    return f"{number:.0f}" if abs(number) >= 10**figures else f"{Decimal(f'{number:.{figures}g}'):f}"


def duration(seconds: float) -> str:
    """Format a time below a second in milliseconds, a longer time in seconds."""
    return f"{seconds:.1f} s" if seconds >= 0.9995 else f"{1000 * seconds:.3g} ms"


def dollars(usd: float | None) -> str:
    """Format an amount of money: "free", "$0.0015", "$12.30"; "price unknown" for None."""
    if usd is None:
        return "price unknown"
    if usd == 0:
        return "free"
    return f"${usd:.2f}" if usd >= 1 else f"${plain(usd, 4)}"


def count(number: int, noun: str) -> str:
    """Format a number with its noun, "1 picture" or "2,000 pictures"; the plural must end in an added s."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def first_line(error: Exception) -> str:
    """Return the first line of an error's message, at most 200 characters; without a message, its class."""
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """Suggest the known word nearest to a mistyped one, as a question; return "" if none is near."""
    from difflib import get_close_matches  # needed only after a mistake

    near = get_close_matches(word.lower(), known, n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def printable(text: str) -> str:
    """Return the text on one line, with control and invisible characters escaped as in Python's strings.

    Escape controls (C0 and C1), line ends, bidirectional overrides, zero-width characters, spaces other than
    U+0020, and lone surrogates: a file name must neither control a terminal nor look like another name.
    """
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        char if char.isprintable() and ord(char) not in UNSEEN
        else char.encode("unicode_escape").decode("ascii")
        for char in text
    )  # fmt: skip


def width(text: str) -> int:
    """Return how many terminal columns `printable` text takes; a wide character takes two."""
    if text.isascii():
        return len(text)
    from rich.cells import cell_len  # most names do not need the table of all characters

    return cell_len(text)


def padded(text: str, columns: int, *, right: bool = False) -> str:
    """Pad the text with spaces to this many columns: on its right, or with ``right`` on its left."""
    space = " " * max(0, columns - width(text))
    return space + text if right else text + space


def aligned(rows: Sequence[Sequence[str]], numbers: Container[int] = ()) -> Iterator[str]:
    """Format each row as one line with aligned columns; the columns in ``numbers`` are aligned right."""
    widths = [max(map(width, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (
            padded(cell, columns, right=place in numbers)
            for place, (cell, columns) in enumerate(zip(row, widths, strict=True))
        )
        yield "  ".join(cells).rstrip()
