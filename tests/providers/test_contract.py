"""The provider contract, for every cloud at its emulator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from digitrec.emulator import Emulator
from digitrec.emulator.kit import ProviderContract
from digitrec.errors import Rejected
from digitrec.providers.base import Provider

from .common import CLOUDS, Opened, Prepared, Told

BOX = (10, 20, 30, 60)
READ: dict[str, tuple[tuple[int, ...] | None, str | None]] = {
    "google": (BOX, None),
    "aws": (BOX, "emulated-function"),
    "aws-textract": (BOX, "emulated-function"),
    "azure": (BOX, "emulated-function"),
    "azure-analysis": (BOX, "emulated-function"),
    "azure-document": (BOX, "emulated-function 2024-11-30"),
    "openai": (None, "emulated-function"),
}
"""Each emulator's seven: its box, and the version of the model."""


@pytest.mark.parametrize("cloud", CLOUDS)
class TestContract(ProviderContract):
    @pytest.fixture(autouse=True)
    def at_the_emulator(self, cloud: str, opened: Opened, secrets: Sequence[str]) -> None:
        def at(endpoint: str) -> Provider:
            return opened(cloud, endpoint=endpoint)

        self.secrets = secrets
        self.provider = lambda: opened(cloud)  # type: ignore[method-assign]
        self.provider_at = at  # type: ignore[method-assign]


@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_emulators_seven_is_read(cloud: str, told: Told, emulator: Emulator) -> None:
    answer = told(cloud, endpoint=emulator.endpoints[cloud])
    box, version = READ[cloud]
    (found,) = answer.candidates
    assert (found.text, found.score, found.box) == ("7", pytest.approx(0.875), box)
    assert answer.model_version == version


@pytest.mark.parametrize("cloud", CLOUDS)
def test_what_is_not_a_picture_is_rejected(cloud: str, opened: Opened, prepared: Prepared) -> None:
    provider = opened(cloud)
    (outcome,) = provider.read_many([replace(prepared(provider), data=b"<html>" + bytes(64))], timeout=10)
    assert isinstance(outcome, Rejected)
