"""What is measured of batch, and what is told of it: the pages say what bench/batch.json holds."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
RENDERED = """
import json, sys
sys.path.insert(0, "bench")
from batch import KEPT, written
from plan import planned
kept = json.loads(KEPT.read_text())
plan = planned(kept["workers"])
print(json.dumps(["\\n".join(written(kept)), "\\n".join(plan)]))
"""


def test_the_benchmarks_and_the_plan_on_paper_are_those_that_were_measured() -> None:
    program = subprocess.run(
        [sys.executable, "-c", RENDERED], cwd=ROOT, capture_output=True, text=True, check=True
    )
    benchmarks, plan = json.loads(program.stdout)
    assert benchmarks in (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    assert plan in (ROOT / "docs" / "batch.md").read_text(encoding="utf-8")
