from pathlib import Path

import pytest
from PIL import Image

from digitrec.emulator.kit import drawn_seven


@pytest.fixture
def seven(tmp_path: Path) -> Path:
    """Write a picture of a 7, alone in its folder."""
    file = tmp_path / "seven.png"
    Image.fromarray(drawn_seven().pixels).save(file)
    return file
