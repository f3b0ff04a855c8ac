"""How many of what, in words."""

from __future__ import annotations


def count(number: int, noun: str) -> str:
    """So many of them: "1 picture", "2,000 pictures"; for nouns whose plural is an s more."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
