"""What help() shows of the public dataclasses: every field, with its meaning."""

from __future__ import annotations

import inspect
import io
import pydoc
import re
import subprocess
import sys
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import digitrec
from digitrec.fieldhelp import documented

PUBLIC = [name for name in digitrec.__all__ if is_dataclass(getattr(digitrec, name))]


def shown(cls: type) -> str:
    out = io.StringIO()
    pydoc.Helper(output=out).help(cls)
    return out.getvalue()


def test_the_public_dataclasses_are_these_and_perhaps_more() -> None:
    known = {"Options", "Prediction", "Failure", "Comparison", "Answer", "Candidate", "DigitImage"}
    assert known <= set(PUBLIC)


@pytest.mark.parametrize("name", PUBLIC)
def test_every_field_is_shown_with_its_meaning(name: str) -> None:
    cls = getattr(digitrec, name)
    text = shown(cls)
    for field in fields(cls):
        said = re.search(rf"^ \|      {field.name}: (.+)$", text, re.MULTILINE)
        assert said and len(said[1]) > 10, f"{name}.{field.name} has no meaning in help()"


@pytest.mark.parametrize("name", PUBLIC)
def test_the_meanings_are_those_in_the_source(name: str) -> None:
    cls = getattr(digitrec, name)
    words = "".join(inspect.getsource(cls).split())
    for line in cls.__doc__.partition("Attributes:")[2].splitlines():
        assert "".join(line.split()).partition(":")[2] in words or "".join(line.split()) in words


def test_units_and_ranges_are_shown() -> None:
    assert re.search(r"timeout: Seconds for one image, .*> 0", shown(digitrec.Options))
    assert re.search(r"confidence: What the engine said, scaled to 0\.\.1", shown(digitrec.Prediction))


def test_without_its_source_it_keeps_its_docstring(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "typed.in", ModuleType("typed.in"))
    program = """@documented\n@dataclass\nclass It:\n    'What it is.'\n    x: int = 1\n    'A number.'\n"""
    made: dict[str, Any] = {"dataclass": dataclass, "documented": documented, "__name__": "typed.in"}
    exec(program, made)
    assert made["It"].__doc__ == made["It"]().__doc__ == "What it is."


def test_nothing_is_looked_up_before_it_is_asked_for() -> None:
    program = "import digitrec.prediction, digitrec.engine, sys; print('ast' in sys.modules)"
    plain = "import dataclasses, inspect, sys; print('ast' in sys.modules)"
    both = [
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                       cwd=Path(__file__).parent.parent).stdout
        for code in (program, plain)
    ]  # fmt: skip
    assert both[0] == both[1]
