from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from digitrec.answer import Candidate
from digitrec.errors import BadAnswer
from digitrec.normalise import normalise
from digitrec.prepare import prepare
from digitrec.prepare.encode import PREPARATIONS, spec_for
from digitrec.providers.rapidocr import RapidOcr, parse
from digitrec.testing import ProviderContract, drawn_seven

Stored = Callable[[str, str], Any]


@cache
def engine() -> RapidOcr:
    """One for all tests: it takes two seconds to load."""
    return RapidOcr()


def test_parse(stored: Stored) -> None:
    answer = parse(stored("rapidocr", "three-sevens"))
    assert answer.candidates == (Candidate("777", 0.99999),)
    assert answer.model_version == "rapidocr 3.10.0"


def test_parse_passes_over_an_empty_line() -> None:
    assert parse({"txts": [""], "scores": [0.0]}).candidates == ()


@pytest.mark.parametrize("raw", [{}, {"txts": ["7"], "scores": []}, {"txts": None, "scores": None}])
def test_parse_refuses(raw: dict[str, Any]) -> None:
    with pytest.raises(BadAnswer):
        parse(raw)


class TestContract(ProviderContract):
    def provider(self) -> RapidOcr:
        return engine()


@pytest.mark.parametrize("preparation", PREPARATIONS)
def test_the_real_engine_reads(preparation: str) -> None:
    spec = spec_for(engine().wants, preparation)
    answer = engine().read(prepare(drawn_seven(), spec), timeout=30)
    assert normalise(answer, repeat=spec.repeat).digit == 7


def test_it_prints_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    fresh = RapidOcr.from_env({})
    fresh.read(prepare(drawn_seven(), fresh.wants), timeout=30)
    assert capfd.readouterr() == ("", "")


def test_status_is_ready_or_names_the_extra() -> None:
    assert RapidOcr.status({}).installed
