"""Checks of the Dockerfile without building it (deploy/try_container.sh builds it)."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .fakes import listening

ROOT = Path(__file__).parents[2]


def test_hadolint_has_nothing_to_say() -> None:
    hadolint = Path(sys.executable).with_name("hadolint")
    said = subprocess.run([hadolint, ROOT / "Dockerfile"], capture_output=True, text=True, check=False)
    assert (said.returncode, said.stdout) == (0, "")


@pytest.mark.parametrize(
    ("command", "variable"),
    [("digitrec serve --port {}", "9"), ("digitrec serve --port={}", "9"), ("digitrec serve", "{}"),
     ("/sbin/docker-init -- digitrec serve --port 9 --port {}", "9")],
)  # fmt: skip
def test_the_health_check_follows_the_port(command: str, variable: str, tmp_path: Path) -> None:
    with listening() as url:
        port = url.rpartition(":")[2]
        line = tmp_path / "cmdline"
        line.write_bytes(b"\0".join(word.encode() for word in command.format(port).split()) + b"\0")
        check = [sys.executable, ROOT / "deploy" / "healthcheck.py", line]
        environment = os.environ | {"PORT": variable.format(port)}
        assert subprocess.run(check, env=environment, check=False).returncode == 0
    assert subprocess.run(check, env=environment, capture_output=True, check=False).returncode != 0
