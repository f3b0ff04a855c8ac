"""Measure many engines on the same labelled pictures, and test which differences are more than chance.

`measure` asks the engines and sums up each of them, `run` compares every two. Importing this package without
the extra ``stats`` (SciPy and scikit-learn) raises NotInstalled.
"""

from __future__ import annotations

from digitrec.providers.base import is_installed, not_installed

if not (is_installed("scipy") and is_installed("sklearn")):
    raise not_installed("Measuring", "stats")

from digitrec.comparison.benchmark.measure import Scorecard
from digitrec.comparison.benchmark.run import Benchmark, Pair, benchmark

__all__ = ["Benchmark", "Pair", "Scorecard", "benchmark"]
