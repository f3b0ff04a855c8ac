"""The guide's example package works when it is installed beside digitrec."""

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image
from programs import ran

from digitrec.emulator.kit import drawn_seven
from digitrec.emulator.server import Server
from digitrec.emulator.vendors.base import Request, Response, Stranger

ROOT = Path(__file__).parent.parent
EXAMPLE = ROOT / "examples" / "acme_provider"
ASK = "import digitrec as d; print(d.predict('7.png', d.open_provider('acme', name='acme')).as_dict())"


class Acme(Stranger):
    """The imaginary service."""

    def read(self, request: Request) -> Response:
        assert request.body.startswith(b"\x89PNG")
        return Response.of_json(200, {"model": "acme-2", "words": [{"text": "7", "percent": 93.5}]})


@pytest.fixture
def endpoint() -> Iterator[str]:
    with Server(Acme()) as server:
        yield server.endpoint


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the example into a folder with pip."""
    source, target = tmp_path_factory.mktemp("source") / "acme", tmp_path_factory.mktemp("site")
    shutil.copytree(EXAMPLE, source)  # building leaves files beside the source
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--target", target]
    ran(sys.executable, "-m", "pip", "install", *options, source)
    return target


def python(installed: Path, folder: Path, *command: str, **variables: str) -> str:
    """Run a new interpreter with the example on its path; return its output."""
    env = {**os.environ, **variables, "PYTHONPATH": os.pathsep.join([str(installed), str(ROOT)])}
    return ran(sys.executable, *command, cwd=folder, env=env).stdout


def test_the_example_answers_through_its_entry_point(installed: Path, endpoint: str, tmp_path: Path) -> None:
    Image.fromarray(drawn_seven().pixels).save(tmp_path / "7.png")
    said = python(installed, tmp_path, "-c", ASK, ACME_KEY="planted-acme-key", ACME_ENDPOINT=endpoint)
    assert "'provider': 'acme', 'digit': 7, 'confidence': 0.935" in said
    assert "'model_version': 'acme-2'" in said
    assert "planted-acme-key" not in said


def test_its_status_is_listed_beside_ours(installed: Path, tmp_path: Path) -> None:
    said = python(installed, tmp_path, "-m", "digitrec", "providers", "--output", "json")
    (acme,) = [listing for listing in json.loads(said) if listing["name"] == "acme"]
    assert acme["status"]["missing"] == ["set ACME_KEY"]


def test_its_own_tests_pass_in_a_clone_without_our_plugins(installed: Path) -> None:
    command = ["-m", "pytest", "-q", "-p", "no:cacheprovider", str(EXAMPLE)]
    without = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONDONTWRITEBYTECODE": "1"}
    assert " passed" in python(installed, ROOT, *command, **without)
