"""Microsoft's Document Intelligence SDK against the emulator, nothing of ours in between."""

from __future__ import annotations

import time

import pytest
import requests
from azure.ai.documentintelligence.models import AnalyzeDocumentRequest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError, ResourceNotFoundError

from digitrec.emulator import Credentials

from ..clients import BELOW, FORTY_TWO, SEVEN, TIMEOUT, azure_document, picture, reads

NAME, MODEL = "azure-document", "prebuilt-read"
ADDRESS = "/documentintelligence/documentModels/prebuilt-read"
HEADERS = {"Ocp-Apim-Subscription-Key": "k", "Content-Type": "application/octet-stream"}


def read(endpoint, content, key="any", model=MODEL):
    with azure_document(endpoint, key) as client:
        return client.begin_analyze_document(model, content).result(timeout=TIMEOUT)


def code(error):
    return error.value.error.innererror["code"] if error.value.error.innererror else error.value.error.code


def test_reads_words_after_some_polls(digitrec_emulator):
    emulator = digitrec_emulator([NAME], engine=reads(SEVEN, FORTY_TWO, BELOW))
    result = read(emulator.endpoints[NAME], picture((200, 300)))
    assert (result.model_id, result.api_version, result.content) == (
        "emulated-function", "2024-11-30", "7 42\n8",
    )  # fmt: skip
    (page,) = result.pages
    assert (page.width, page.height, page.unit) == (200, 300, "pixel")
    assert [(word.content, word.confidence) for word in page.words] == [("7", 0.93), ("42", 0.5), ("8", 0.25)]
    assert [(word.span.offset, word.span.length) for word in page.words] == [(0, 1), (2, 2), (5, 1)]
    assert page.words[0].polygon == [80, 10, 120, 10, 120, 110, 80, 110]
    assert [line.content for line in page.lines] == ["7 42", "8"]
    assert result.styles == []
    counts = emulator.counts(NAME)
    assert (counts.calls, counts.polls, counts.billed) == (1, 3, 1)


def test_an_image_without_text(digitrec_emulator):
    result = read(digitrec_emulator([NAME], engine=reads()).endpoints[NAME], picture())
    assert (result.content, result.pages[0].words, result.styles) == ("", [], [])


def test_base64_in_json(digitrec_emulator):
    endpoint = digitrec_emulator([NAME], engine=reads(SEVEN)).endpoints[NAME]
    assert read(endpoint, AnalyzeDocumentRequest(bytes_source=picture())).content == "7"
    with pytest.raises(HttpResponseError) as caught:
        read(endpoint, AnalyzeDocumentRequest(url_source="http://127.0.0.1/7.png"))
    assert code(caught) == "InvalidContent"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no picture", "InvalidImageFormat"),
        (picture(form="GIF"), "InvalidImageFormat"),
        (picture() + bytes(4 * 1024 * 1024), "InvalidImageSize"),
        (picture((49, 200)), "InvalidContentDimensions"),
    ],
    ids=["none", "gif", "heavy", "narrow"],
)
def test_documents_that_are_refused(digitrec_emulator, content, said):
    emulator = digitrec_emulator([NAME], engine=reads(SEVEN))
    with pytest.raises(HttpResponseError) as caught:
        read(emulator.endpoints[NAME], content)
    assert (caught.value.status_code, code(caught)) == (400, said)
    assert emulator.counts(NAME).billed == 0


def test_keys_are_asked_for_on_every_request(digitrec_emulator):
    keys = Credentials(azure_keys=frozenset({"right"}))
    endpoint = digitrec_emulator([NAME], engine=reads(SEVEN), credentials=keys).endpoints[NAME]
    assert read(endpoint, picture(), "right").content == "7"
    with pytest.raises(ClientAuthenticationError):
        read(endpoint, picture(), "wrong")
    headers = {**HEADERS, "Ocp-Apim-Subscription-Key": "right"}
    posted = requests.post(
        f"{endpoint}{ADDRESS}:analyze?api-version=2024-11-30", picture(), headers=headers, timeout=TIMEOUT
    )
    location = posted.headers["Operation-Location"]
    assert requests.get(location, timeout=TIMEOUT).status_code == 401
    assert requests.get(location, headers=headers, timeout=TIMEOUT).json()["status"] == "notStarted"


def test_another_model_and_another_version(digitrec_emulator):
    endpoint = digitrec_emulator([NAME], engine=reads(SEVEN)).endpoints[NAME]
    with pytest.raises(ResourceNotFoundError) as caught:
        read(endpoint, picture(), model="prebuilt-invoice")
    assert code(caught) == "ModelNotFound"
    old = f"{endpoint}{ADDRESS}:analyze?api-version=2022-08-31"
    assert requests.post(old, picture(), headers=HEADERS, timeout=TIMEOUT).status_code == 400


def test_a_result_can_be_deleted_and_expires(digitrec_emulator, monkeypatch):
    endpoint = digitrec_emulator([NAME], engine=reads(SEVEN)).endpoints[NAME]
    url = f"{endpoint}{ADDRESS}:analyze?api-version=2024-11-30"
    first, second = (
        requests.post(url, picture(), headers=HEADERS, timeout=TIMEOUT).headers["Operation-Location"]
        for _ in range(2)
    )

    def status(location):
        return requests.get(location, headers=HEADERS, timeout=TIMEOUT).status_code

    with azure_document(endpoint) as client:
        client.delete_analyze_result(MODEL, first.rpartition("/")[2].partition("?")[0])
    assert (status(first), status(second)) == (404, 200)
    now = time.monotonic()
    monkeypatch.setattr("digitrec.emulator.vendors.azure.time.monotonic", lambda: now + 25 * 3600)
    assert status(second) == 404


def test_all_services_of_a_resource_answer_at_one_address(digitrec_emulator):
    emulator = digitrec_emulator(["azure", NAME], engine=reads(SEVEN))
    assert read(emulator.endpoints["azure"], picture()).content == "7"
    assert (emulator.calls("azure"), emulator.calls(NAME)) == (0, 1)


@pytest.mark.parametrize(
    ("fault", "status"), [("endless-poll", "running"), ("failed-poll", "failed"), ("unknown-poll", "skipped")]
)
def test_what_a_poll_may_hear(digitrec_emulator, fault, status):
    emulator = digitrec_emulator([NAME], engine=reads(SEVEN), faults=[fault])
    url = f"{emulator.endpoints[NAME]}{ADDRESS}:analyze?api-version=2024-11-30"
    location = requests.post(url, picture(), headers=HEADERS, timeout=TIMEOUT).headers["Operation-Location"]
    seen = {requests.get(location, headers=HEADERS, timeout=TIMEOUT).json()["status"] for _ in range(5)}
    assert seen == {status}
