"""Check a caller's arguments; an error names the argument, its range and the value."""

import math
import os
from numbers import Integral, Real
from pathlib import Path
from typing import Any


def is_number(value: object) -> bool:
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
    """Return an integer >= ``low``.

    Raises:
        TypeError: the value is not an integer; bool is not accepted.
        ValueError: the value is below ``low``.
    """
    if not isinstance(value, Integral) or isinstance(value, bool):
        raise TypeError(f"{name} must be a whole number, got {said(value)}")
    if value < low:
        raise ValueError(f"{name} must be {low} or more, got {said(value)}")
    return int(value)


def path(name: str, value: Any) -> Path:
    """Return a file's path as a Path.

    Raises:
        TypeError: the value is not a path.
        ValueError: the path is empty.
    """
    if not isinstance(value, str | os.PathLike) or isinstance(os.fspath(value), bytes):
        raise TypeError(f"{name} must be the name of a file, got {said(value)}")
    if not os.fspath(value):
        raise ValueError(f"{name} must be the name of a file, got an empty text")
    return Path(value)


def said(value: Any) -> str:
    """Describe a wrong value briefly: a number or short text itself, otherwise its type."""
    if value is None or isinstance(value, bool | Real):
        return str(value)
    if isinstance(value, str):
        return repr(value if len(value) <= 40 else value[:37] + "...")
    return f"a value of type {type(value).__name__}"
