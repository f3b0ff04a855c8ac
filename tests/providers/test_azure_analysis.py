from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence

from digitrec.answer import Candidate
from digitrec.emulator import Emulator

from .common import Opened, Prepared


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
from digitrec.emulator.kit import drawn_seven
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
