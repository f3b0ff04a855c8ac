from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from digitrec.answer import Answer, Candidate
from digitrec.emulator import Emulator
from digitrec.errors import BadAnswer, NotConfigured
from digitrec.image import PreparedImage
from digitrec.providers.azure_analysis import AzureAnalysis, parse
from digitrec.providers.base import Provider
from digitrec.testing import ProviderContract

Stored = Callable[[str, str], Any]
Opened = Callable[..., Provider]
Prepared = Callable[[Provider], PreparedImage]
BOX = (61, 40, 142, 171)


@pytest.mark.parametrize(
    ("case", "candidates"),
    [
        ("seven", [Candidate("7", 0.985, BOX)]),
        ("two-words", [Candidate("4", 0.9, BOX), Candidate("2", 0.7, BOX)]),
        ("no-text", []),
    ],
)
def test_parse(stored: Stored, case: str, candidates: list[Candidate]) -> None:
    raw = stored("azure-analysis", case)
    assert parse(raw) == Answer(tuple(candidates), raw=raw, model_version="2023-10-01")


def test_parse_refuses_what_the_sdk_lets_through(stored: Stored) -> None:
    with pytest.raises(BadAnswer, match="readResult"):
        parse(stored("azure-analysis", "no-read-result"))


class TestContract(ProviderContract):
    @pytest.fixture(autouse=True)
    def at_the_emulator(self, opened: Opened, secrets: Sequence[str]) -> None:
        self.secrets = secrets
        self.provider = lambda: opened("azure-analysis")  # type: ignore[method-assign]


def test_the_real_sdk_reads(opened: Opened, prepared: Prepared) -> None:
    analysis = opened("azure-analysis")
    answer = analysis.read(prepared(analysis), timeout=10)
    assert answer.candidates == (Candidate("7", 0.875, (10, 20, 30, 60)),)
    assert answer.raw["readResult"]["blocks"]


def test_a_broken_answer_prints_nothing(
    opened: Opened, prepared: Prepared, emulator: Emulator, capfd: pytest.CaptureFixture[str]
) -> None:
    analysis = opened("azure-analysis")
    emulator.set_faults("azure-analysis", "cut-off")
    with pytest.raises(BadAnswer):
        analysis.read(prepared(analysis), timeout=5)
    assert capfd.readouterr() == ("", "")


def test_a_price_is_unknown_until_the_user_sets_one(emulator: Emulator) -> None:
    url = emulator.endpoints["azure-analysis"]
    assert AzureAnalysis(endpoint=url, key="k").price is None
    price = AzureAnalysis(endpoint=url, key="k", price_usd=0.001).price
    assert price is not None
    assert price.usd == 0.001


def test_from_env_names_what_is_missing() -> None:
    with pytest.raises(NotConfigured, match="VISION_KEY"):
        AzureAnalysis.from_env({"VISION_ENDPOINT": "https://a.example"})
