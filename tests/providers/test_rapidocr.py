from functools import cache
from typing import Any

import numpy as np
import pytest
from programs import python

from digitrec.answer import Candidate
from digitrec.emulator.kit import LocalProviderContract, drawn_seven
from digitrec.errors import BadAnswer
from digitrec.image import DigitImage
from digitrec.prepare import PREPARATIONS, prepare
from digitrec.prepare.encode import spec_for
from digitrec.providers.rapidocr import RapidOcr, parse
from digitrec.recognise.normalise import normalise

from .documents import stored


@cache
def engine() -> RapidOcr:
    """One for all tests: it takes two seconds to load."""
    return RapidOcr()


def test_parse() -> None:
    answer = parse(stored("rapidocr", "three-sevens"))
    assert answer.candidates == (Candidate("777", 0.99999),)
    assert answer.model_version == "rapidocr 3.10.0"


def test_parse_passes_over_an_empty_line() -> None:
    assert parse({"txts": [""], "scores": [0.0]}).candidates == ()


LINES = [(7, 0.5), ("\ud83d", 0.5), ("7", "1"), ("7", 1.5), ("7", float("nan"))]


@pytest.mark.parametrize(("text", "score"), LINES)
def test_parse_refuses(text: Any, score: Any) -> None:
    with pytest.raises(BadAnswer):
        parse({"txts": [text], "scores": [score]})


class TestContract(LocalProviderContract):
    def provider(self) -> RapidOcr:
        return engine()


@pytest.mark.parametrize("preparation", PREPARATIONS)
def test_the_real_engine_reads(preparation: str) -> None:
    spec = spec_for(engine().wants, preparation)
    assert normalise(engine().read(prepare(drawn_seven(), spec), timeout=30), repeat=spec.repeat).digit == 7


def test_a_lone_stroke_that_its_detector_passes_over_is_read() -> None:
    pixels = np.full((96, 96), 255, np.uint8)
    pixels[33:63, 46:49] = 0
    enlarged = spec_for(engine().wants, "enlarged")
    assert normalise(engine().read(prepare(DigitImage.open(pixels), enlarged), timeout=30)).digit == 1


READ = """
from digitrec.prepare import prepare
from digitrec.providers.rapidocr import RapidOcr
from digitrec.emulator.kit import drawn_seven
ocr = RapidOcr()
print(ocr.read(prepare(drawn_seven(), ocr.wants), timeout=30).candidates[0].text)
"""


def test_it_prints_nothing_of_its_own() -> None:
    run = python("-c", READ)
    assert (run.stdout, run.stderr) == ("777\n", "")


def test_the_runtime_is_told_to_send_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    told = []
    monkeypatch.setattr("onnxruntime.disable_telemetry_events", lambda: told.append(True))
    RapidOcr().close()
    assert told
