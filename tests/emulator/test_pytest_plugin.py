"""The fixture in another project, without this suite's configuration."""

import os

from programs import python

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
    arguments = ["-q", "-p", "no:cacheprovider", "--rootdir", "."]
    alone = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    assert "1 passed" in python("-m", "pytest", *arguments, cwd=tmp_path, env=alone).stdout
