"""Drawings reach Python from the canvas in each front end; errors are one line."""

from __future__ import annotations

import base64
import io
import sys
from types import ModuleType, SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import IPython
import pytest
from hypothesis import given
from hypothesis import strategies as st
from IPython.display import HTML
from PIL import Image

from digitrec.emulator.kit import drawn_seven
from digitrec.lab.notebook import NO_CANVAS, PNG, Drawing, draw


def sent(picture: bytes) -> str:
    return PNG + base64.b64encode(picture).decode()


def seven() -> bytes:
    file = io.BytesIO()
    Image.fromarray(drawn_seven().pixels).save(file, "PNG")
    return file.getvalue()


@pytest.fixture
def displayed(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """Return what a cell displays."""
    found: list[Any] = []
    monkeypatch.setattr("IPython.display.display", lambda *things: found.extend(things))
    for name in ("google.colab.output", "ipywidgets"):
        monkeypatch.setitem(sys.modules, name, None)
    return found


def test_blank_paper_is_no_digit_and_no_picture_leaves_the_last_drawing() -> None:
    file = io.BytesIO()
    Image.new("L", (280, 280), 255).save(file, "PNG")
    drawing = Drawing()
    assert drawing.picture is None and drawing.answer is None
    assert drawing.read(sent(file.getvalue())) == "no digit: blank"
    assert drawing.read(sent(seven())).startswith("7 (")
    assert drawing.answer is not None and drawing.answer.digit == 7
    for bad in ("data:,", sent(b"no picture")):
        assert drawing.read(bad)
        assert drawing.picture == seven()


@given(st.text() | st.text().map(PNG.__add__) | st.binary(max_size=80).map(sent))
def test_whatever_comes_is_told_in_a_line(url: str) -> None:
    said = Drawing().read(url)
    assert said and "\n" not in said


def test_colab_calls_back(displayed: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    calls: dict[str, Any] = {}
    colab = ModuleType("google.colab.output")
    colab.register_callback = calls.__setitem__  # type: ignore[attr-defined]
    for name in ("google.colab", "google.colab.output"):
        monkeypatch.setitem(sys.modules, name, colab)
    drawing = draw()
    ((name, call),) = calls.items()
    (page,) = displayed
    assert isinstance(page, HTML) and f'invokeFunction("{name}"' in str(page.data)
    assert call(sent(seven())).data["said"].startswith("7 (")
    assert drawing.answer is not None and drawing.answer.digit == 7


def test_jupyter_sends_drawings_by_a_text_area(displayed: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    widgets = SimpleNamespace(Textarea=MagicMock(), Label=MagicMock(), VBox=list)
    monkeypatch.setitem(sys.modules, "ipywidgets", widgets)
    monkeypatch.setattr(IPython, "get_ipython", lambda: SimpleNamespace(kernel=object()))
    drawing = draw()
    page, (area, label) = displayed
    assert area.layout.display == "none"
    ((name,), _) = area.add_class.call_args
    assert f'".{name} textarea"' in str(page.data)
    ((call,), how) = area.observe.call_args
    assert how == {"names": "value"}
    call({"new": sent(seven())})
    assert label.value.startswith("7 (") and drawing.picture == seven()


def test_elsewhere_it_says_what_to_do(
    displayed: list[Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert draw().answer is None
    assert capsys.readouterr().out == f"{NO_CANVAS}\n"
    monkeypatch.setitem(sys.modules, "ipywidgets", SimpleNamespace())  # in a terminal, with ipywidgets
    draw()
    assert capsys.readouterr().out == f"{NO_CANVAS}\n"
    assert displayed == []
