"""What digitrec relies on, of every cloud, asked through its real SDK at its emulator."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from digitrec.emulator.kit import ProviderContract
from digitrec.providers.base import Provider

from .common import CLOUDS, Opened


@pytest.mark.parametrize("cloud", CLOUDS)
class TestContract(ProviderContract):
    @pytest.fixture(autouse=True)
    def at_the_emulator(self, cloud: str, opened: Opened, secrets: Sequence[str]) -> None:
        def at(endpoint: str) -> Provider:
            return opened(cloud, endpoint=endpoint)

        self.secrets = secrets
        self.provider = lambda: opened(cloud)  # type: ignore[method-assign]
        self.provider_at = at  # type: ignore[method-assign]
