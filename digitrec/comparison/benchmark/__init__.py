"""Many labelled pictures, many engines: how good each is, and which differences are more than chance.

`measure` asks the engines, `scorecard` sums one of them up, `run` compares every two, and `conclusion` says
a conclusion in words. The statistics are SciPy's and scikit-learn's: importing this without the
extra ``stats`` raises NotInstalled.
"""

from __future__ import annotations

from digitrec.providers.base import is_installed, not_installed

if not (is_installed("scipy") and is_installed("sklearn")):
    raise not_installed("Measuring", "stats")

from digitrec.comparison.benchmark.conclusion import conclusion
from digitrec.comparison.benchmark.run import Benchmark, Pair, benchmark
from digitrec.comparison.benchmark.scorecard import Scorecard

__all__ = ["Benchmark", "Pair", "Scorecard", "benchmark", "conclusion"]
