from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import pytest

from digitrec.answer import Answer, Candidate
from digitrec.emulator import Emulator
from digitrec.errors import BadAnswer
from digitrec.providers.azure_analysis import parse

from .common import AZURE_WORDS, Opened, Prepared, Stored


@pytest.mark.parametrize(("case", "candidates"), AZURE_WORDS)
def test_parse(stored: Stored, case: str, candidates: list[Candidate]) -> None:
    raw = stored("azure-analysis", case)
    assert parse(raw) == Answer(tuple(candidates), raw=raw, model_version="2023-10-01")


def test_parse_refuses_what_the_sdk_lets_through(stored: Stored) -> None:
    with pytest.raises(BadAnswer, match="readResult"):
        parse(stored("azure-analysis", "no-read-result"))


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


@pytest.mark.parametrize("blocks", [[], [{"lines": []}], [{"lines": [{"words": []}]}]])
def test_no_block_no_line_and_a_line_of_nothing_are_no_text(blocks: Any) -> None:
    assert parse({"readResult": {"blocks": blocks}}).candidates == ()


def test_a_line_without_its_words_is_not_taken_for_no_text() -> None:
    with pytest.raises(BadAnswer, match="without words"):
        parse({"readResult": {"blocks": [{"lines": [{"text": "7", "words": []}]}]}})
