from __future__ import annotations

import subprocess
import sys
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


READ = """
import sys
from digitrec.errors import BadAnswer
from digitrec.prepare import prepare
from digitrec.providers.azure_analysis import AzureAnalysis
from digitrec.testing import drawn_seven
analysis = AzureAnalysis(endpoint=sys.argv[1], key=sys.argv[2])
try:
    analysis.read(prepare(drawn_seven(), analysis.wants), timeout=5)
except BadAnswer:
    print("a bad answer")
"""


def test_the_sdk_prints_nothing_of_its_own(emulator: Emulator, secrets: Sequence[str]) -> None:
    emulator.set_faults("azure-analysis", "cut-off")
    command = [sys.executable, "-c", READ, emulator.endpoints["azure-analysis"], secrets[0]]
    run = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (run.stdout, run.stderr) == ("a bad answer\n", "")


def test_a_price_is_unknown_until_the_user_sets_one(emulator: Emulator) -> None:
    url = emulator.endpoints["azure-analysis"]
    assert AzureAnalysis(endpoint=url, key="k").price is None
    price = AzureAnalysis(endpoint=url, key="k", price_usd=0.001).price
    assert price is not None
    assert price.usd == 0.001


def test_from_env_names_what_is_missing() -> None:
    with pytest.raises(NotConfigured, match="VISION_KEY"):
        AzureAnalysis.from_env({"VISION_ENDPOINT": "https://a.example"})
