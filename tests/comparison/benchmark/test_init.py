"""Without the extra, importing the benchmark says what to install."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import sys
class Without:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in ("scipy", "sklearn"):
            raise ModuleNotFoundError(name)
sys.meta_path.insert(0, Without())
import digitrec.comparison, digitrec.comparison.policy
import digitrec.recognise.calibration
try:
    import digitrec.comparison.benchmark
except ImportError as error:
    print(type(error).__name__, error)
"""


def test_comparing_needs_no_extra_and_the_benchmark_names_its_own() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("NotInstalled Measuring needs packages that are not installed")
    assert ".[stats]" in done.stdout
