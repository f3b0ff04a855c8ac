"""Tests for your own provider, and a fake provider for your program's tests.

`FakeProvider` says what it was told to say. `ProviderContract` is the set of tests that every provider
passes, ours as well; subclass it in a test file of yours, and pytest runs them:

    from digitrec.testing import ProviderContract

    class TestMine(ProviderContract):
        def provider(self):
            return Mine(endpoint="http://127.0.0.1:8001", key="test")

        def provider_at(self, endpoint):
            return Mine(endpoint=endpoint, key="test")

`provider` is asked about pictures. `provider_at` is led to a server that answers as no vendor should
(`digitrec.emulator.faults`), through the engine: it refuses, drips, hangs up, redirects, and says what it
should not. A provider that runs on this machine has no server that could fail: its tests subclass
`LocalProviderContract`.
"""

from __future__ import annotations

from digitrec.testing.contract import LocalProviderContract
from digitrec.testing.fake import FakeProvider, Line, drawn_seven
from digitrec.testing.fault_contract import ProviderContract

__all__ = ["FakeProvider", "Line", "LocalProviderContract", "ProviderContract", "drawn_seven"]
