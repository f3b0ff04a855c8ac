"""The body of a reply as JSON: read strictly, and looked into whatever it is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

DEEPEST = 100
"""Lists and objects inside one another in an answer, at most; the vendors' own go to about fifteen."""


def document(body: bytes) -> Any:
    """The JSON value in ``body``: strictly UTF-8, of numbers that are finite, not nested too deeply.

    Raises:
        ValueError: it is none.
    """
    import msgspec

    try:
        value = msgspec.json.decode(body.removeprefix(b"\xef\xbb\xbf"))
    except RecursionError:
        deep = True
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise ValueError(f"no JSON: {error}" if body.strip() else "an empty body") from None
    else:
        deep = _deeper(value, DEEPEST)
    if deep:
        raise ValueError(f"JSON nested more than {DEEPEST} deep")
    return value


def _deeper(value: Any, most: int) -> bool:
    level = [value]
    for _ in range(most + 1):
        level = [item for outer in level for item in _items(outer)]
        if not level:
            return False
    return True


def _items(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        return iter(value.values())
    return iter(value) if isinstance(value, list) else iter(())


def dig(value: Any, *path: str) -> str:
    """The text at the end of a path through a JSON value, or "" where there is none."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""
