"""The provider contract, for every cloud at its emulator."""

import pytest

from digitrec.emulator import Emulator
from digitrec.emulator.kit import ProviderContract
from digitrec.providers.base import Provider

from .common import AWS_KEY, AWS_SECRET, CLOUDS, KEY, Opened, Told


@pytest.mark.parametrize("cloud", CLOUDS)
class TestContract(ProviderContract):
    @pytest.fixture(autouse=True)
    def at_the_emulator(self, cloud: str, opened: Opened) -> None:
        def at(endpoint: str) -> Provider:
            return opened(cloud, endpoint=endpoint)

        self.secrets = (KEY, AWS_KEY, AWS_SECRET)
        self.provider = lambda: opened(cloud)  # type: ignore[method-assign]
        self.provider_at = at  # type: ignore[method-assign]


@pytest.mark.parametrize("cloud", CLOUDS)
def test_the_emulators_seven_is_read(cloud: str, told: Told, emulator: Emulator) -> None:
    answer = told(cloud, endpoint=emulator.endpoints[cloud])
    (found,) = answer.candidates
    box = None if cloud == "openai" else (10, 20, 30, 60)
    assert (found.text, found.score, found.box) == ("7", pytest.approx(0.875), box)
    versions = {"google": None, "azure-document": "emulated-function 2024-11-30"}
    assert answer.model_version == versions.get(cloud, "emulated-function")
