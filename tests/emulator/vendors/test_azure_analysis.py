"""Azure's Image Analysis SDK against the emulator, nothing of ours in between."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from azure.core.exceptions import (
    ClientAuthenticationError,
    HttpResponseError,
)

from digitrec.emulator import Credentials

from ..clients import BELOW, FORTY_TWO, HEADERS, SEVEN, azure_analysis, heavy, picture, reads


def analyse(client: Any, content: bytes, *features: str, timeout: float = 5) -> Any:
    return client.analyze(
        image_data=content, visual_features=list(features or ["read"]),
        retry_total=0, connection_timeout=timeout, read_timeout=timeout,
    )  # fmt: skip


def test_reads_words_with_confidences_and_boxes(digitrec_emulator):
    emulator = digitrec_emulator(["azure-analysis"], engine=reads(SEVEN, FORTY_TWO, BELOW))
    with azure_analysis(emulator.endpoints["azure-analysis"]) as client:
        answer = analyse(client, picture((200, 300)))

    (block,) = answer.read.blocks
    assert [line.text for line in block.lines] == ["7 42", "8"]
    words = [word for line in block.lines for word in line.words]
    assert [(word.text, word.confidence) for word in words] == [("7", 0.93), ("42", 0.5), ("8", 0.25)]
    corners = [(corner.x, corner.y) for corner in words[0].bounding_polygon]
    assert corners == [(80, 10), (120, 10), (120, 110), (80, 110)]
    assert answer.model_version == "emulated-function"
    assert (answer.metadata.width, answer.metadata.height) == (200, 300)
    assert emulator.counts("azure-analysis").billed == 1


def test_an_image_without_text_gets_the_empty_answer(digitrec_emulator):
    with azure_analysis(
        digitrec_emulator(["azure-analysis"], engine=reads()).endpoints["azure-analysis"]
    ) as client:
        assert analyse(client, picture()).read.blocks == []


@pytest.mark.parametrize(
    ("content", "inner"),
    [
        (picture((50, 200)), "InvalidImageSize"),
        (picture((16_000, 60)), "InvalidImageSize"),
        (heavy(20 * 1024 * 1024), "InvalidImageSize"),
        (picture(form="PPM"), "InvalidImageFormat"),
        (b"no picture", "InvalidImageFormat"),
    ],
    ids=["narrow", "wide", "20 MB", "ppm", "no picture"],
)
def test_limits(digitrec_emulator, content, inner):
    emulator = digitrec_emulator(["azure-analysis"], engine=reads(SEVEN))
    with (
        azure_analysis(emulator.endpoints["azure-analysis"]) as client,
        pytest.raises(HttpResponseError) as caught,
    ):
        analyse(client, content)
    assert caught.value.status_code == 400
    assert caught.value.error.innererror["code"] == inner
    assert emulator.counts("azure-analysis").billed == 0


@pytest.mark.parametrize(
    "content", [picture((51, 51)), picture(form="WEBP"), heavy(20 * 1024 * 1024 - 1)], ids=len
)
def test_within_the_limits(digitrec_emulator, content):
    endpoint = digitrec_emulator(["azure-analysis"], engine=reads(SEVEN)).endpoints["azure-analysis"]
    with azure_analysis(endpoint) as client:
        assert analyse(client, content).read.blocks


def test_a_feature_that_reads_no_text_is_not_pretended(digitrec_emulator):
    endpoint = digitrec_emulator(["azure-analysis"], engine=reads(SEVEN)).endpoints["azure-analysis"]
    with azure_analysis(endpoint) as client, pytest.raises(HttpResponseError):
        analyse(client, picture(), "read", "caption")


def test_good_parameters(digitrec_emulator):
    endpoint = digitrec_emulator(["azure-analysis"], engine=reads(SEVEN)).endpoints["azure-analysis"]
    good = {"language": "pt-BR", "model_version": "latest", "smart_crops_aspect_ratios": [0.75, 1.8]}
    with azure_analysis(endpoint) as client:
        answer = client.analyze(
            image_data=picture(), visual_features=["read", "read"], gender_neutral_caption=True, **good
        )
    assert answer.read.blocks


@pytest.mark.parametrize(
    "query",
    [
        "features=read", "api-version=2020-01-01&features=read", "api-version=2023-10-01",
        "api-version=2023-10-01&features=", "api-version=2023-10-01&features=text",
        "api-version=2023-10-01&features=read,text",
    ],
)  # fmt: skip
def test_a_bad_query(digitrec_emulator, query):
    endpoint = digitrec_emulator(["azure-analysis"], engine=reads(SEVEN)).endpoints["azure-analysis"]
    url = f"{endpoint}/computervision/imageanalysis:analyze?{query}"
    answer = requests.post(url, picture(), headers=HEADERS, timeout=5)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] in ("BadRequest", "InvalidRequest", "InvalidArgument")


def test_a_rate_is_kept_for_each_service(digitrec_emulator):
    emulator = digitrec_emulator(["azure", "azure-analysis"], engine=reads(SEVEN), faults=["limit:calls=1"])
    with azure_analysis(emulator.endpoints["azure"]) as client:
        assert analyse(client, picture()).read.blocks
        with pytest.raises(HttpResponseError) as caught:
            analyse(client, picture())
    assert caught.value.status_code == 429
    assert int(caught.value.response.headers["Retry-After"]) <= 60
    assert (
        requests.post(emulator.endpoints["azure"] + "/vision/v3.2/read/analyze", timeout=5).status_code == 401
    )


def test_a_wrong_key(digitrec_emulator):
    credentials = Credentials(azure_keys=frozenset({"right"}))
    emulator = digitrec_emulator(["azure-analysis"], engine=reads(SEVEN), credentials=credentials)
    endpoint = emulator.endpoints["azure-analysis"]
    with azure_analysis(endpoint, "right") as client:
        assert analyse(client, picture()).read.blocks
    with (
        azure_analysis(endpoint, "wrong") as client,
        pytest.raises(ClientAuthenticationError, match="subscription"),
    ):
        analyse(client, picture())


def test_an_empty_key_is_refused_by_default(digitrec_emulator):
    endpoint = digitrec_emulator(["azure-analysis"], engine=reads(SEVEN)).endpoints["azure-analysis"]
    with azure_analysis(endpoint, "") as client, pytest.raises(ClientAuthenticationError):
        analyse(client, picture())
