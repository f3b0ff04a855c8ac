"""The Dockerfile, as far as it can be judged without building it (deploy/try_container.sh builds it)."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_hadolint_has_nothing_to_say() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    said = subprocess.run([hadolint, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (said.returncode, said.stdout) == (0, "")


def test_every_package_in_the_image_is_pinned() -> None:
    assert "--require-hashes --requirement deploy/image-requirements.txt" in (ROOT / "Dockerfile").read_text()
