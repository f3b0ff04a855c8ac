from __future__ import annotations

from collections.abc import Iterator

import pytest
import stamina


@pytest.fixture
def no_waits() -> Iterator[None]:
    """Retries follow at once."""
    with stamina.set_testing(True, attempts=99, cap=True):
        yield
