"""Contract tests for your own provider, and a fake provider for your program's tests.

`FakeProvider` returns scripted answers. `ProviderContract` holds the tests that every provider passes,
digitrec's own included. Subclass it in a test file, and pytest runs them:

    from digitrec.emulator.kit import ProviderContract

    class TestMine(ProviderContract):
        def provider(self):
            return Mine(endpoint="http://127.0.0.1:8001", key="test")

        def provider_at(self, endpoint):
            return Mine(endpoint=endpoint, key="test")

The tests ask `provider` about pictures. They send `provider_at` through the engine to the emulator's server,
which then fails in every way of `digitrec.emulator.faults`. A provider that runs on this machine has no
server: its tests subclass `LocalProviderContract`.
"""

from __future__ import annotations

from digitrec.emulator.kit.contract import LocalProviderContract, ProviderContract
from digitrec.emulator.kit.fake import FakeProvider, Line, drawn_seven

__all__ = ["FakeProvider", "Line", "LocalProviderContract", "ProviderContract", "drawn_seven"]
