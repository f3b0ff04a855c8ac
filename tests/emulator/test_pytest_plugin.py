"""The fixture in another project, without this suite's configuration."""

from __future__ import annotations

import os
import subprocess
import sys

PROJECT = """
import os
import requests

pytest_plugins = ["digitrec.emulator.pytest_plugin"]


def test_it(digitrec_emulator):
    emulator = digitrec_emulator(["azure"], engine=lambda picture: [], faults=["503"])
    assert os.environ["NO_PROXY"] == "127.0.0.1"
    assert requests.post(emulator.endpoints["azure"]).status_code == 503
    assert emulator.calls("azure") == 1
"""


def test_a_strangers_project(tmp_path):
    (tmp_path / "test_it.py").write_text(PROJECT)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", "."]
    alone = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(command, cwd=tmp_path, env=alone, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "1 passed" in done.stdout
