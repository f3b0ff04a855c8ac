"""A pytest fixture for any project: ``pytest_plugins = ["digitrec.emulator.pytest_plugin"]``."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from digitrec.emulator import Emulator


@pytest.fixture
def digitrec_emulator(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Emulator]]:
    """Return a function that starts an `Emulator` with its arguments; all stop after the test.

    During the test NO_PROXY is 127.0.0.1, because most SDKs would send these requests through a proxy.

        def test_reads(digitrec_emulator):
            emulator = digitrec_emulator(["google"], faults=["429:first=1"])
            ...
            assert emulator.calls("google") == 1
    """
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with ExitStack() as running:

        def start(*args: Any, **options: Any) -> Emulator:
            return running.enter_context(Emulator(*args, **options))

        yield start
