"""`digitrec models list`."""

from __future__ import annotations

import json

from click.testing import CliRunner

from digitrec.cli import main
from digitrec.models import store


def test_the_shipped_model_says_what_it_is() -> None:
    (facts,) = json.loads(CliRunner().invoke(main, ["models", "list", "-o", "json"]).stdout)
    assert facts["version"] == store.load().version
    assert facts["card"]["test"]["count"] == 10_000
    assert facts["card"]["test"]["percent"] >= 99.5
    assert facts["input"]["form"] == "mnist"


def test_a_file_that_is_no_model_is_refused() -> None:
    done = CliRunner().invoke(main, ["models", "list", "missing.tflite"])
    assert done.exit_code == 5
    assert "missing.tflite" in done.stderr
