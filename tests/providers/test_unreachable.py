"""Where no connection comes about nothing was sent, so nothing was bought."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
import stamina

from digitrec.engine import Engine, Options
from digitrec.engine.ledger import Ledger
from digitrec.engine.ledger.queries import recent
from digitrec.errors import Unreachable

from .common import CLOUDS, Opened, Prepared


@pytest.fixture
def nowhere() -> Iterator[str]:
    """An address at which nobody listens, and nobody can begin to."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest.mark.parametrize("cloud", CLOUDS)
def test_what_was_never_sent_is_not_paid_for(
    cloud: str, nowhere: str, opened: Opened, prepared: Prepared, tmp_path: Path
) -> None:
    provider = opened(cloud, endpoint=nowhere)
    path = tmp_path / "ledger.sqlite"
    engine = Engine(provider, Options(ledger=path, attempts=2))
    with stamina.set_testing(True, attempts=2, cap=True):
        (reply,) = engine.ask([prepared(provider)])
    engine.close()
    assert type(reply.outcome) is Unreachable
    assert (reply.attempts, reply.cost_usd) == (2, 0.0)
    assert "check the network" in str(reply.outcome)
    with closing(Ledger(path)) as ledger:
        assert [(call.state, call.cost_usd) for call in recent(ledger)] == [("failed", 0.0)] * 2
