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
    lines = (ROOT / "deploy" / "constraints.txt").read_text().splitlines()
    pins = [line for line in lines if not line.startswith("#")]
    assert {"fastapi", "uvicorn", "ai-edge-litert"} <= {pin.partition("==")[0] for pin in pins}
    assert all("==" in pin for pin in pins)
