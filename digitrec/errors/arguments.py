"""Check a caller's arguments; an error names the argument, its range and the value."""

import math
import os
import sys
from numbers import Integral, Real
from pathlib import Path
from typing import Any, TypeGuard


def is_number(value: object) -> TypeGuard[float]:
    """Return whether a value is a real number; bool is not accepted."""
    return isinstance(value, Real) and not isinstance(value, bool)


def number(name: str, value: Any, low: float, high: float = math.inf, *, above: bool = False) -> float:
    """Return a finite number from ``low`` (exclusive with ``above``) to ``high``.

    Raises:
        TypeError: the value is not a number; bool is not accepted.
        ValueError: the value is out of range, infinite or nan.
    """
    if not is_number(value):
        raise TypeError(f"{name} must be a number, got {said(value)}")
    try:
        given = float(value)
    except OverflowError:  # an integer above the largest float
        given = math.inf
    if math.isfinite(given) and low <= given <= high and not (above and given == low):
        return given
    bounds = f"{'>' if above else '>='} {low:g}" + (f" and <= {high:g}" if high < math.inf else "")
    raise ValueError(f"{name} must be a finite number {bounds}, got {said(value)}")


def whole(name: str, value: Any, low: int) -> int:
    """Return an integer >= ``low`` and at most `sys.maxsize`.

    Raises:
        TypeError: the value is not an integer; bool is not accepted.
        ValueError: the value is out of range.
    """
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise TypeError(f"{name} must be a whole number, got {said(value)}")
    given = int(value)
    if not low <= given <= sys.maxsize:
        bounds = f"{low} or more" if given < low else f"at most {sys.maxsize}"
        raise ValueError(f"{name} must be {bounds}, got {said(value)}")
    return given


def path(name: str, value: Any) -> Path:
    """Return a file's path as a Path; "~" stands for the home folder.

    Raises:
        TypeError: the value is not a path.
        ValueError: the path is empty or has a null character, or the user after ~ does not exist.
    """
    if not isinstance(value, str | os.PathLike) or isinstance(os.fspath(value), bytes):
        raise TypeError(f"{name} must be the name of a file, got {said(value)}")
    if not os.fspath(value) or "\0" in os.fspath(value):
        raise ValueError(f"{name} must be the name of a file, got {said(os.fspath(value))}")
    try:
        return Path(value).expanduser()
    except RuntimeError:
        raise ValueError(f"{name} begins with ~ and the name of a user who does not exist") from None


def said(value: Any) -> str:
    """Describe a wrong value briefly: a number or short text itself, otherwise its type."""
    if value is None or isinstance(value, bool | Real):
        try:
            return str(value)
        except ValueError:  # Python's limit
            return "a number of thousands of digits"
    if isinstance(value, str):
        return repr(value if len(value) <= 40 else value[:37] + "...")
    return f"a value of type {type(value).__name__}"
