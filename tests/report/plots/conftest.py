"""What the pictures are drawn of."""

from __future__ import annotations

import pytest

from digitrec.comparison.benchmark.measure import Result, measure
from digitrec.comparison.datasets.loader import Sample, read_samples
from digitrec.engine import Engine
from digitrec.providers.local import Local


@pytest.fixture(scope="session")
def engine() -> Engine:
    return Engine(Local())


@pytest.fixture(scope="session")
def found(engine: Engine) -> Result:
    """Seventy test digits, the first under a wrong label."""
    samples = read_samples("mnist-test")[:70]
    return measure([Sample(samples[0].image, 3), *samples[1:]], engine, "seventy")
