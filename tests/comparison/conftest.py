"""Pictures of numbers for the tests of this package."""

from pathlib import Path

import pytest

from comparison.numbered import TEXTS, numbered


@pytest.fixture
def cut(tmp_path: Path) -> str:
    """Six pictures with at most one number."""
    names = [f"{number}.png" for number in range(len(TEXTS))]
    rows = [f'{name},"{text}"' for name, text in zip(names, TEXTS, strict=True)]
    return numbered(tmp_path, "\n".join(["file,text", *rows]), names)
