"""The fonts to learn from: listed once each, whole fonts held back, other files not accepted."""

from __future__ import annotations

from pathlib import Path

import pytest

from digitrec.errors import DataError
from digitrec.lab.datasets import fonts


def test_the_files_of_a_part_are_found(some_fonts: Path) -> None:
    assert fonts.fonts("hand", "learned") == (str(some_fonts / "one-latin-400-normal.woff"),)
    assert fonts.fonts("hand", "held back") == (str(some_fonts / "apart-latin-400-normal.woff"),)
    assert fonts.fonts("print", "held back") == ()


def test_a_font_that_is_missing_or_another_one_is_named_with_its_home(some_fonts: Path) -> None:
    one, two = (some_fonts / f"{name}-latin-400-normal.woff" for name in ("one", "two"))
    two.write_bytes(one.read_bytes())
    with pytest.raises(DataError, match=r"two-latin-400-normal\.woff: damaged"):
        fonts.fonts("print", "learned")
    one.unlink()
    with pytest.raises(
        DataError, match=r"one-latin-400-normal\.woff: cannot be read \(No such file.*@fontsource/one 1\.0\.0"
    ):
        fonts.fonts("hand", "learned")


def test_without_a_folder_fonts_are_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []
    monkeypatch.setattr(fonts, "retrieved", lambda *what: asked.append(what) or tmp_path / what[0])
    monkeypatch.setenv("DIGITREC_DATA", str(tmp_path))
    assert fonts.folder() is None
    files = fonts.fonts("print", "held back")
    assert files == tuple(str(tmp_path / what[0]) for what in asked) and len(files) == 8
    (name, sha256, (copy,), folder), *_ = asked
    first = next(font for font in fonts.listed() if (font.kind, font.part) == ("print", "held back"))
    assert (name, sha256, folder) == (first.file, first.sha256, "fonts")
    assert copy == f"https://cdn.jsdelivr.net/npm/@fontsource/{first.name}@{first.version}/files/"
