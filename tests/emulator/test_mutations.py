"""Right answers made wrong, through plain HTTP."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from digitrec.emulator import Emulator
from digitrec.emulator.faults import DOCUMENTS

from .clients import HEADERS, READ, SEVEN, TIMEOUT, picture, reads


@pytest.fixture
def emulator(digitrec_emulator) -> Emulator:
    return digitrec_emulator(["azure-analysis"], engine=reads(SEVEN))


def ask(emulator: Emulator, *faults: str) -> requests.Response:
    emulator.set_faults("azure-analysis", *faults)
    url = emulator.endpoints["azure-analysis"] + READ
    return requests.post(
        url, picture(), headers={**HEADERS, "Ocp-Apim-Subscription-Key": "planted"}, timeout=TIMEOUT
    )


def differences(right: Any, wrong: Any) -> list[tuple[Any, Any]]:
    """The outermost values that are not the same; a missing one is an Ellipsis."""
    if right == wrong and type(right) is type(wrong):
        return []
    if isinstance(right, dict) and isinstance(wrong, dict):
        names = {**right, **wrong}
        return [pair for name in names for pair in differences(right.get(name, ...), wrong.get(name, ...))]
    if isinstance(right, list) and isinstance(wrong, list) and len(right) == len(wrong):
        return [pair for one, other in zip(right, wrong, strict=True) for pair in differences(one, other)]
    return [(right, wrong)]


@pytest.mark.parametrize("kind", ["wrong-type", "null-field", "lost-field", "bad-confidence", "deep"])
def test_one_place_is_changed_the_same_way_for_the_same_seed(emulator, kind):
    right = ask(emulator).json()
    size = ",size=50" if kind == "deep" else ""
    seen = set()
    for seed in range(40):
        wrong = ask(emulator, f"{kind}:seed={seed}{size}")
        assert wrong.status_code == 200
        assert ask(emulator, f"{kind}:seed={seed}{size}").content == wrong.content
        assert len(differences(right, wrong.json())) == 1
        seen.add(wrong.content)
    assert len(seen) > 10


def test_what_each_puts_there(emulator):
    right = ask(emulator).json()
    for seed in range(40):
        ((was, now),) = differences(right, ask(emulator, f"wrong-type:seed={seed}").json())
        assert isinstance(was, bool) != isinstance(now, bool) or not isinstance(now, type(was))
        ((_, now),) = differences(right, ask(emulator, f"null-field:seed={seed}").json())
        assert now is None
        ((was, now),) = differences(right, ask(emulator, f"bad-confidence:seed={seed}").json())
        assert was == 0.93
        assert not (type(now) is float and 0 <= now <= 1)


def test_whole_documents_are_replaced_too(emulator):
    bodies = {ask(emulator, f"null-field:seed={seed}").content for seed in range(40)}
    assert b"null" in bodies


def test_depth_and_size(emulator):
    assert b"[" * 100_000 + b"]" * 100_000 in ask(emulator, "deep").content
    huge = ask(emulator, "huge:size=1000000")
    assert len(huge.content) > 1_000_000
    assert huge.json()["readResult"]["blocks"][0]["lines"][0]["text"] == "7"


def test_characters_that_are_none(emulator):
    with pytest.raises(UnicodeDecodeError):
        ask(emulator, "not-utf8").content.decode("utf-8")
    answer = ask(emulator, "surrogate")
    assert b'"7\\ud83d"' in answer.content
    assert answer.json()["readResult"]["blocks"][0]["lines"][0]["words"][0]["text"] == "7\ud83d"


def test_an_echo_holds_the_key(emulator):
    answer = ask(emulator, "echo")
    assert answer.status_code == 200
    assert answer.headers["X-Echo"] == "planted"
    assert answer.json()["modelVersion"] == "emulated-function planted"
    assert answer.json()["readResult"]["blocks"][0]["lines"][0]["text"] == "7 planted"


@pytest.mark.parametrize("how", [{"headers": {"X-Goog-Api-Key": "planted"}}, {"params": {"key": "planted"}},
                                 {"headers": {"Authorization": "Bearer planted"}}])  # fmt: skip
def test_an_echo_of_googles_key(digitrec_emulator, how):
    endpoint = digitrec_emulator(["google"], engine=reads(SEVEN), faults=["echo"]).endpoints["google"]
    answer = requests.post(f"{endpoint}/v1/images:annotate", json={"requests": []}, timeout=TIMEOUT, **how)
    assert "planted" in answer.headers["X-Echo"]


@pytest.mark.parametrize("kind", DOCUMENTS)
def test_the_work_is_billed_and_an_error_stays_as_it_is(emulator, kind):
    assert ask(emulator, kind).status_code == 200
    assert emulator.billed("azure-analysis") == 1
    emulator.set_faults("azure-analysis", kind)
    url = emulator.endpoints["azure-analysis"] + READ
    answer = requests.post(url, b"no picture", headers=HEADERS, timeout=TIMEOUT)
    assert answer.json()["error"]["innererror"]["code"] == "InvalidImageFormat"
    assert emulator.billed("azure-analysis") == 1


def test_an_order_has_no_document_but_an_address(digitrec_emulator):
    emulator = digitrec_emulator(["azure"], engine=reads(SEVEN))
    url = emulator.endpoints["azure"] + "/vision/v3.2/read/analyze"

    def location(fault: str) -> str | None:
        emulator.set_faults("azure", fault)
        answer = requests.post(url, picture(), headers=HEADERS, timeout=TIMEOUT)
        assert (answer.status_code, answer.content) == (202, b"")
        return answer.headers.get("Operation-Location")

    right = location("surrogate")
    assert right is not None
    assert right.startswith(url)
    assert location("lost-field") is None
    wrong = {location(f"wrong-type:seed={seed}") for seed in range(30)}
    assert len(wrong) > 4
    assert not any(str(one).startswith(emulator.endpoints["azure"]) for one in wrong)
