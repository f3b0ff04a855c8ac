"""Checks of the Dockerfile without building it (deploy/try_container.sh builds it)."""

import json
import os
import sys
from pathlib import Path

import pytest
from programs import python, ran
from terminal import run

from .fakes import listening

ROOT = Path(__file__).parents[2]


def test_hadolint_has_nothing_to_say() -> None:
    assert ran(Path(sys.executable).with_name("hadolint"), ROOT / "Dockerfile").stdout == ""


def test_what_the_image_copies_is_sent_to_the_builder() -> None:
    rules = (ROOT / ".dockerignore").read_text().split("\n")
    for line in (ROOT / "Dockerfile").read_text().splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            assert all(f"!{name}" in rules for name in line.split()[1:-1]), line


def _from_dockerfile(word: str) -> list[str]:
    """Return the list of an instruction in the image's last stage."""
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    instruction = next(line for line in lines if line.startswith(f"{word} ["))
    found: list[str] = json.loads(instruction.removeprefix(word))
    return found


def test_what_render_runs_is_what_the_image_runs_and_that_is_a_command_of_ours() -> None:
    assert _from_dockerfile("ENTRYPOINT") == ["digitrec"]
    said = run(*_from_dockerfile("CMD"), "--help", code=0, env={"DIGITREC_PROXIES": "2"})
    assert "DIGITREC_PROXIES" in said.output
    blueprint = (ROOT / "render.yaml").read_text()
    # A dockerCommand may replace CMD alone or ENTRYPOINT too, so the blueprint has none.
    assert "dockerCommand:" not in blueprint and "DIGITREC_PROXIES" in blueprint


@pytest.mark.parametrize(("command", "variable"), [
    ("digitrec serve --port {}", "9"), ("digitrec serve --port={}", "9"), ("digitrec serve", "{}"),
    ("/sbin/docker-init -- digitrec serve --port 9 --port {}", "9"),
])  # fmt: skip
def test_the_health_check_follows_the_port(command: str, variable: str, tmp_path: Path) -> None:
    with listening() as url:
        port = url.rpartition(":")[2]
        line = tmp_path / "cmdline"
        line.write_bytes(b"\0".join(word.encode() for word in command.format(port).split()) + b"\0")
        check = [ROOT / "deploy" / "healthcheck.py", line]
        proxy = {"http_proxy": "http://127.0.0.1:9", "NO_PROXY": ""}  # Docker sets its client's everywhere
        environment = os.environ | proxy | {"PORT": variable.format(port)}
        python(*check, env=environment)
    assert python(*check, code=None, env=environment).returncode != 0
