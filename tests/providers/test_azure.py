from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest

from digitrec.answer import Answer, Candidate
from digitrec.emulator import Emulator
from digitrec.errors import BadAnswer, NotConfigured, Rejected, TimedOut, Unavailable
from digitrec.image import PreparedImage
from digitrec.providers.azure import Azure, parse
from digitrec.providers.base import Provider, Resumable
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
    raw = stored("azure", case)
    assert parse(raw) == Answer(tuple(candidates), raw=raw, model_version="2022-04-30")


@pytest.mark.parametrize(
    ("case", "error", "said"),
    [
        ("failed", Rejected, "the operation failed"),
        ("empty", BadAnswer, "analyzeResult"),
        ("no-result", BadAnswer, "analyzeResult"),
    ],
)
def test_parse_refuses_what_the_sdk_lets_through(
    stored: Stored, case: str, error: type[Exception], said: str
) -> None:
    with pytest.raises(error, match=said):
        parse(stored("azure", case))


class TestContract(ProviderContract):
    @pytest.fixture(autouse=True)
    def at_the_emulator(self, opened: Opened, secrets: Sequence[str]) -> None:
        self.secrets = secrets
        self.provider = lambda: opened("azure")  # type: ignore[method-assign]


def test_the_real_sdk_reads(opened: Opened, prepared: Prepared) -> None:
    azure = opened("azure")
    answer = azure.read(prepared(azure), timeout=10)
    assert answer.candidates == (Candidate("7", 0.875, (10, 20, 30, 60)),)
    assert answer.raw["status"] == "succeeded"


def test_an_operation_that_was_started_is_finished_by_another_process(
    opened: Opened, prepared: Prepared, emulator: Emulator
) -> None:
    first, second, before = opened("azure"), opened("azure"), emulator.calls("azure")
    assert isinstance(first, Resumable)
    assert isinstance(second, Resumable)
    token = first.start(prepared(first), timeout=10)
    first.close()
    assert second.finish(token, timeout=10).candidates[0].text == "7"
    assert emulator.calls("azure") - before == 1


def test_a_poll_that_fails_leaves_the_operation_as_it_is(
    opened: Opened, prepared: Prepared, emulator: Emulator
) -> None:
    azure = opened("azure")
    assert isinstance(azure, Resumable)
    token = azure.start(prepared(azure), timeout=10)
    emulator.set_faults("azure", "503:first=1")
    with pytest.raises(Unavailable):
        azure.finish(token, timeout=10)
    assert azure.finish(token, timeout=10).candidates


def test_an_operation_that_does_not_end_is_given_up_in_time(
    opened: Opened, prepared: Prepared, emulator: Emulator
) -> None:
    azure = opened("azure")
    assert isinstance(azure, Resumable)
    emulator.set_faults("azure", "endless-poll")
    token = azure.start(prepared(azure), timeout=10)
    with pytest.raises(TimedOut, match=token):
        azure.finish(token, timeout=0.2)


def test_an_unknown_operation_is_refused(opened: Opened) -> None:
    azure = opened("azure")
    assert isinstance(azure, Resumable)
    with pytest.raises(Rejected):
        azure.finish("00000000-0000-0000-0000-000000000000", timeout=5)


def test_a_price_is_unknown_until_the_user_sets_one(emulator: Emulator) -> None:
    url = emulator.endpoints["azure"]
    assert Azure(endpoint=url, key="k").price is None
    price = Azure(endpoint=url, key="k", price_usd=0.001).price
    assert price is not None
    assert price.usd == 0.001


def test_from_env_takes_endpoint_and_key(emulator: Emulator) -> None:
    url = emulator.endpoints["azure"]
    assert Azure.from_env({"VISION_ENDPOINT": url + "/", "VISION_KEY": "k"}).endpoint == url


def test_from_env_names_what_is_missing() -> None:
    with pytest.raises(NotConfigured, match="VISION_ENDPOINT"):
        Azure.from_env({"VISION_KEY": "k"})
