import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from clock import Clock

from digitrec.engine.ledger import Ledger


@pytest.fixture
def clock() -> Clock:
    return Clock(datetime(2026, 11, 30, 23, 59, tzinfo=UTC).timestamp())


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """Copy a ledger of version 1."""
    return Path(shutil.copy(Path(__file__).parent / "old" / "version-1.sqlite", tmp_path / "ledger.sqlite"))


@pytest.fixture
def ledger(tmp_path: Path, clock: Clock) -> Iterator[Ledger]:
    ledger = Ledger(tmp_path / "ledger.sqlite", clock=clock)
    yield ledger
    ledger.close()
