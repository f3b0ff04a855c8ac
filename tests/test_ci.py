"""CI repeats a few failed tests once and always reports it."""

import os
import sys
from pathlib import Path

import pytest
from programs import python, ran

AGAIN = Path(__file__).parents[1] / ".ci" / "again"
FLAKY = """
from pathlib import Path
def test_{number}():
    seen = Path("seen-{number}")
    before = seen.exists()
    seen.touch()
    assert before
"""
BROKEN = """
def test_{number}():
    assert False
"""


@pytest.mark.skipif(sys.platform == "win32", reason="CI is a shell script")
@pytest.mark.parametrize(("kinds", "code", "words"), [
    
    ([FLAKY] * 3, 0, "3 passed"),  # the passed test does not run again
    ([FLAKY, BROKEN], 1, "1 failed, 1 passed"), ([FLAKY] * 4, 1, "4 tests failed"),
    ],
    ids=["flaky", "broken", "too many",
])  # fmt: skip
def test_flaky_tests_are_named_broken_fail(tmp_path: Path, kinds: list[str], code: int, words: str) -> None:
    tests = [kind.format(number=number) for number, kind in enumerate(kinds)]
    (tmp_path / "test_it.py").write_text("\n".join([*tests, "def test_good(): pass"]))
    # Loading all the other plugins takes longer than the tests.
    env = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_PLUGINS": "xdist.plugin"}
    python("-m", "pytest", code=1, cwd=tmp_path, env=env)
    again = ran(AGAIN, sys.executable, code=None, cwd=tmp_path, env=env)
    said = again.stdout + again.stderr
    assert (again.returncode, said.count("flaky: test_it.py::test_")) == (code, 0 if code else 3), said
    assert words in said
