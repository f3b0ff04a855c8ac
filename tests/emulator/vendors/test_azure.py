"""Azure's Computer Vision SDK against the emulator, nothing of ours in between."""

from __future__ import annotations

import io
import time
import uuid
from datetime import datetime
from typing import Any

import pytest
import requests
from azure.cognitiveservices.vision.computervision.models import ComputerVisionOcrErrorException

from digitrec.emulator import Credentials

from ..clients import BELOW, FORTY_TWO, HEADERS, SEVEN, TIMEOUT, azure, heavy, picture, reads


def post(client: Any, content: bytes, timeout: float = TIMEOUT) -> str:
    answer = client.read_in_stream(io.BytesIO(content), raw=True, timeout=timeout)
    return answer.headers["Operation-Location"].rpartition("/")[2]


def polled(client: Any, content: bytes) -> Any:
    """The statuses that were seen, and the last answer."""
    operation, seen = post(client, content), []
    while True:
        answer = client.get_read_result(operation, timeout=TIMEOUT)
        seen.append(answer.status.value)
        if seen[-1] not in ("notStarted", "running"):
            return seen, answer


def test_reads_words_after_some_polls(digitrec_emulator):
    emulator = digitrec_emulator(["azure"], engine=reads(SEVEN, FORTY_TWO, BELOW))
    with azure(emulator.endpoints["azure"]) as client:
        seen, answer = polled(client, picture((200, 300)))

    assert seen == ["notStarted", "running", "succeeded"]
    (page,) = answer.analyze_result.read_results
    assert (page.width, page.height, page.unit.value) == (200, 300, "pixel")
    assert [line.text for line in page.lines] == ["7 42", "8"]
    words = [word for line in page.lines for word in line.words]
    assert [(word.text, word.confidence) for word in words] == [("7", 0.93), ("42", 0.5), ("8", 0.25)]
    assert words[0].bounding_box == [80, 10, 120, 10, 120, 110, 80, 110]
    assert answer.analyze_result.model_version == "emulated-function"
    assert answer.analyze_result.version == "3.2.0"
    assert (page.page, page.angle, page.language) == (1, 0, None)
    assert {(line.appearance.style.name, line.appearance.style.confidence) for line in page.lines} == {
        ("other", 0.9)
    }
    assert datetime.fromisoformat(answer.created_date_time) <= datetime.fromisoformat(
        answer.last_updated_date_time
    )
    counts = emulator.counts("azure")
    assert (counts.calls, counts.polls, counts.billed) == (1, 3, 1)


def test_an_image_without_text_gets_the_empty_answer(digitrec_emulator):
    with azure(digitrec_emulator(["azure"], engine=reads()).endpoints["azure"]) as client:
        _, answer = polled(client, picture())
    assert [page.lines for page in answer.analyze_result.read_results] == [[]]


@pytest.mark.parametrize(
    ("content", "inner"),
    [
        (picture((49, 200)), "InvalidImageSize"),
        (picture((10_001, 60)), "InvalidImageSize"),
        (heavy(4 * 1024 * 1024 + 1), "InvalidImageSize"),
        (picture(form="WEBP"), "InvalidImageFormat"),
        (b"no picture", "InvalidImageFormat"),
        (picture()[:100], "InvalidImageFormat"),
    ],
    ids=["narrow", "wide", "over 4 MB", "webp", "no picture", "cut off"],
)
def test_limits(digitrec_emulator, content, inner):
    emulator = digitrec_emulator(["azure"], engine=reads(SEVEN))
    with (
        azure(emulator.endpoints["azure"]) as client,
        pytest.raises(ComputerVisionOcrErrorException) as caught,
    ):
        post(client, content)
    assert caught.value.response.status_code == 400
    assert caught.value.response.json()["error"]["innererror"]["code"] == inner
    assert emulator.counts("azure").billed == 0


@pytest.mark.parametrize("content", [picture((50, 50)), picture(form="BMP"), heavy(4 * 1024 * 1024)], ids=len)
def test_within_the_limits(digitrec_emulator, content):
    with azure(digitrec_emulator(["azure"], engine=reads(SEVEN)).endpoints["azure"]) as client:
        assert post(client, content)


def test_an_image_named_by_its_address_is_not_fetched(digitrec_emulator):
    endpoint = digitrec_emulator(["azure"], engine=reads(SEVEN)).endpoints["azure"]
    with azure(endpoint) as client, pytest.raises(ComputerVisionOcrErrorException) as caught:
        client.read("https://example.org/7.png", timeout=TIMEOUT)
    assert caught.value.response.json()["error"]["innererror"]["code"] == "InvalidImageUrl"


def test_an_unknown_operation(digitrec_emulator):
    endpoint = digitrec_emulator(["azure"], engine=reads(SEVEN)).endpoints["azure"]
    with azure(endpoint) as client, pytest.raises(ComputerVisionOcrErrorException) as caught:
        client.get_read_result("00000000-0000-0000-0000-000000000000", timeout=TIMEOUT)
    assert caught.value.response.status_code == 404
    assert caught.value.response.json()["error"]["code"] == "NotFound"
    assert caught.value.response.headers["apim-request-id"]


def test_an_operation_expires_after_two_days(digitrec_emulator, monkeypatch):
    with azure(digitrec_emulator(["azure"], engine=reads(SEVEN)).endpoints["azure"]) as client:
        operation = post(client, picture())
        now = time.monotonic()
        monkeypatch.setattr(
            "digitrec.emulator.vendors.azure.time.monotonic", lambda: now + 47 * 3600
        )
        assert client.get_read_result(operation, timeout=TIMEOUT).status.value == "succeeded"
        monkeypatch.setattr(
            "digitrec.emulator.vendors.azure.time.monotonic", lambda: now + 49 * 3600
        )
        with pytest.raises(ComputerVisionOcrErrorException) as caught:
            client.get_read_result(operation, timeout=TIMEOUT)
    assert caught.value.response.status_code == 404


@pytest.mark.parametrize(
    "parameters",
    [
        {"model_version": "2022-04-30"},
        {"language": "zh-Hans"},
        {"language": "sr-Latn"},
        {"reading_order": "natural"},
        {"pages": ["1-3", "5"]},
    ],
)
def test_a_good_parameter(digitrec_emulator, parameters):
    with azure(digitrec_emulator(["azure"], engine=reads(SEVEN)).endpoints["azure"]) as client:
        posted = client.read_in_stream(io.BytesIO(picture()), raw=True, timeout=TIMEOUT, **parameters)
        operation = posted.headers["Operation-Location"].rpartition("/")[2]
        for _ in range(3):
            answer = client.get_read_result(operation, timeout=TIMEOUT)
    assert len(answer.analyze_result.read_results) == 1


@pytest.mark.parametrize("fault", ["", "503", "429", "502", "empty", "endless-poll", "limit:calls=1"])
def test_every_answer_has_a_number(digitrec_emulator, fault):
    emulator = digitrec_emulator(["azure"], engine=reads(SEVEN), faults=[fault] if fault else [])
    url = emulator.endpoints["azure"] + "/vision/v3.2/read/"
    posted = requests.post(url + "analyze", picture(), headers=HEADERS, timeout=TIMEOUT)
    polled = requests.get(f"{url}analyzeResults/{uuid.uuid4()}", headers=HEADERS, timeout=TIMEOUT)
    numbers = [uuid.UUID(answer.headers["apim-request-id"]) for answer in (posted, polled)]
    assert numbers[0] != numbers[1]


def test_a_rate_is_kept_polls_included(digitrec_emulator):
    emulator = digitrec_emulator(["azure"], engine=reads(SEVEN), faults=["limit:calls=3,seconds=1000"])
    with azure(emulator.endpoints["azure"]) as client:
        operation = post(client, picture())
        statuses = [client.get_read_result(operation, timeout=TIMEOUT).status.value for _ in range(2)]
        with pytest.raises(ComputerVisionOcrErrorException) as caught:
            client.get_read_result(operation, timeout=TIMEOUT)
    assert statuses == ["notStarted", "running"]
    assert caught.value.response.status_code == 429
    wait_s = int(caught.value.response.headers["Retry-After"])
    assert 990 < wait_s <= 1000
    assert f"retry after {wait_s} seconds" in caught.value.response.json()["error"]["message"]
    assert (emulator.calls("azure"), emulator.counts("azure").polls, emulator.billed("azure")) == (1, 3, 1)


def test_a_wrong_key(digitrec_emulator):
    credentials = Credentials(azure_keys=frozenset({"right"}))
    endpoint = digitrec_emulator(["azure"], engine=reads(SEVEN), credentials=credentials).endpoints["azure"]
    with azure(endpoint, "right") as client:
        assert post(client, picture())
    with azure(endpoint, "wrong") as client, pytest.raises(ComputerVisionOcrErrorException) as caught:
        post(client, picture())
    assert caught.value.response.status_code == 401
    assert "invalid subscription key" in caught.value.response.text


def test_a_poll_that_never_ends(digitrec_emulator):
    emulator = digitrec_emulator(["azure"], engine=reads(SEVEN), faults=["endless-poll"])
    with azure(emulator.endpoints["azure"]) as client:
        operation = post(client, picture())
        seen = {client.get_read_result(operation, timeout=TIMEOUT).status.value for _ in range(10)}
        assert seen == {"running"}
        emulator.set_faults("azure")
        statuses = [client.get_read_result(operation, timeout=TIMEOUT).status.value for _ in range(3)]
    assert statuses[-1] == "succeeded"
