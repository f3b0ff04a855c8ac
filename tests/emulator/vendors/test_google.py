"""Google's own SDK against the emulator, nothing of ours in between."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
import requests as rest
from google.api_core import exceptions
from google.cloud.vision import (
    AnnotateImageRequest,
    BatchAnnotateImagesResponse,
    Feature,
    Image,
    ImageContext,
    TextDetectionParams,
)
from google.protobuf import json_format

from digitrec.emulator import Credentials, Word

from ..clients import BELOW, FORTY_TWO, SEVEN, TIMEOUT, google, heavy, picture, reads

DOCUMENT, PLAIN = Feature.Type.DOCUMENT_TEXT_DETECTION, Feature.Type.TEXT_DETECTION
GOOD = {"retry": None, "timeout": TIMEOUT}


def request(
    content: bytes, *kinds: Feature.Type, context: ImageContext | None = None
) -> AnnotateImageRequest:
    features = [Feature(type_=kind) for kind in kinds or (DOCUMENT,)]
    return AnnotateImageRequest(image=Image(content=content), features=features, image_context=context)


def annotated(endpoint: str, *requests: AnnotateImageRequest) -> list[Any]:
    with google(endpoint) as client:
        return list(client.batch_annotate_images(requests=requests, **GOOD).responses)


def test_reads_words_with_confidences_and_boxes(digitrec_emulator):
    endpoint = digitrec_emulator(["google"], engine=reads(SEVEN, FORTY_TWO, BELOW)).endpoints["google"]
    with google(endpoint) as client:
        answer = client.document_text_detection(image=Image(content=picture()), **GOOD)

    assert answer.full_text_annotation.text == "7 42\n8"
    assert [said.description for said in answer.text_annotations] == ["7 42\n8", "7", "42", "8"]
    (page,) = answer.full_text_annotation.pages
    assert (page.width, page.height) == (200, 120)
    words = page.blocks[0].paragraphs[0].words
    assert ["".join(symbol.text for symbol in word.symbols) for word in words] == ["7", "42", "8"]
    assert [word.symbols[0].confidence for word in words] == pytest.approx([0.93, 0.5, 0.25])
    corners = [(corner.x, corner.y) for corner in words[0].bounding_box.vertices]
    assert corners == [(80, 10), (120, 10), (120, 110), (80, 110)]


def test_every_level_says_its_language_and_how_sure_it_is(digitrec_emulator):
    engine = reads(SEVEN, FORTY_TWO, Word("AB", 0.0, (0, 200, 40, 260)))
    endpoint = digitrec_emulator(["google"], engine=engine).endpoints["google"]
    (answer,) = annotated(endpoint, request(picture()))
    (page,) = answer.full_text_annotation.pages
    (block,) = page.blocks
    (paragraph,) = block.paragraphs
    levels = [page, block, paragraph, *paragraph.words]
    for level in levels:
        (language,) = level.property.detected_languages
        assert (language.language_code, language.confidence) == ("en", 1)
    sure = [level.confidence for level in levels]
    assert sure == pytest.approx([1.43 / 3] * 3 + [0.93, 0.5, 0])
    for level in levels[1:]:
        assert len(level.bounding_box.vertices) == 4
    symbols = [symbol for word in paragraph.words for symbol in word.symbols]
    assert {symbol.property.detected_languages[0].language_code for symbol in symbols} == {"en"}
    breaks = [symbol.property.detected_break.type_.name for symbol in symbols]
    assert breaks == ["SPACE", "UNKNOWN", "LINE_BREAK", "UNKNOWN", "LINE_BREAK"]
    assert answer.text_annotations[0].locale == "en"


@pytest.mark.parametrize(("hints", "language"), [([], "und"), (["de", "fr"], "de")])
def test_the_language_of_digits_is_not_known_unless_hinted(digitrec_emulator, hints, language):
    endpoint = digitrec_emulator(["google"], engine=reads(SEVEN)).endpoints["google"]
    (answer,) = annotated(endpoint, request(picture(), context=ImageContext(language_hints=hints)))
    assert answer.text_annotations[0].locale == language
    assert answer.full_text_annotation.pages[0].property.detected_languages[0].language_code == language


@pytest.mark.parametrize("kind", ["DOCUMENT_TEXT_DETECTION", "TEXT_DETECTION"])
def test_the_json_is_googles_form_with_nothing_unknown_and_no_zeros(digitrec_emulator, kind):
    engine = reads(Word("7", 0.0, (0, 0, 40, 60)), FORTY_TWO)
    endpoint = digitrec_emulator(["google"], engine=engine).endpoints["google"]
    content = base64.b64encode(picture()).decode()
    body = {"requests": [{"image": {"content": content}, "features": [{"type": kind}]}]}
    text = rest.post(f"{endpoint}/v1/images:annotate", json=body, timeout=TIMEOUT).text
    message = json_format.Parse(text, BatchAnnotateImagesResponse.pb()(), ignore_unknown_fields=False)
    again = json.loads(json_format.MessageToJson(message, indent=None))
    assert again == json.loads(text)
    assert ("confidence" in text) == (kind == "DOCUMENT_TEXT_DETECTION")


def test_an_image_without_text_gets_the_empty_answer(digitrec_emulator):
    (answer,) = annotated(
        digitrec_emulator(["google"], engine=reads()).endpoints["google"], request(picture())
    )
    assert not answer.full_text_annotation.text
    assert not answer.text_annotations
    assert not answer.error.code


def test_text_detection_gives_confidences_only_when_asked(digitrec_emulator):
    endpoint = digitrec_emulator(["google"], engine=reads(SEVEN)).endpoints["google"]
    params = TextDetectionParams(enable_text_detection_confidence_score=True)
    scored = ImageContext(text_detection_params=params)
    answers = annotated(endpoint, request(picture(), PLAIN), request(picture(), PLAIN, context=scored))
    symbols = [
        answer.full_text_annotation.pages[0].blocks[0].paragraphs[0].words[0].symbols[0] for answer in answers
    ]
    assert [symbol.confidence for symbol in symbols] == pytest.approx([0, 0.93])
    pages = [answer.full_text_annotation.pages[0] for answer in answers]
    assert [page.confidence for page in pages] == pytest.approx([0, 0.93])


def test_each_feature_of_each_good_image_is_billed(digitrec_emulator):
    emulator = digitrec_emulator(["google"], engine=reads(SEVEN))
    good, bad = request(picture(), DOCUMENT, PLAIN), request(b"no picture")
    answers = annotated(emulator.endpoints["google"], good, bad, good)
    assert [answer.error.code for answer in answers] == [0, 3, 0]
    assert answers[1].error.message == "Bad image data."
    assert emulator.calls("google") == 1
    assert emulator.counts("google").billed == 4


def test_asking_for_no_feature_asks_for_all_and_bills_all(digitrec_emulator):
    emulator = digitrec_emulator(["google"], engine=reads(SEVEN))
    with google(emulator.endpoints["google"]) as client:
        answer = client.annotate_image({"image": {"content": picture()}}, **GOOD)
    assert answer.full_text_annotation.text == "7"
    assert emulator.counts("google").billed >= 12


def test_a_feature_that_reads_no_text_is_not_pretended(digitrec_emulator):
    endpoint = digitrec_emulator(["google"], engine=reads(SEVEN)).endpoints["google"]
    (answer,) = annotated(endpoint, request(picture(), Feature.Type.LABEL_DETECTION))
    assert answer.error.code == 12


def test_an_image_named_by_its_address_is_not_fetched(digitrec_emulator):
    endpoint = digitrec_emulator(["google"], engine=reads(SEVEN)).endpoints["google"]
    image = Image(source={"image_uri": "https://example.org/7.png"})
    (answer,) = annotated(endpoint, AnnotateImageRequest(image=image, features=[Feature(type_=DOCUMENT)]))
    assert answer.error.code == 7


@pytest.mark.parametrize(
    ("requests", "message"),
    [
        ([request(picture())] * 17, "Too many images"),
        ([request(heavy(8_000_000))], "payload size exceeds the limit"),
        ([AnnotateImageRequest(features=[Feature(type_=DOCUMENT)])], "must specify image"),
    ],
    ids=["17 images", "over 10 MB", "no image"],
)
def test_limits(digitrec_emulator, requests, message):
    emulator = digitrec_emulator(["google"], engine=reads(SEVEN))
    with pytest.raises(exceptions.BadRequest, match=message):
        annotated(emulator.endpoints["google"], *requests)
    assert emulator.counts("google").billed == 0


@pytest.mark.parametrize(
    "body",
    [
        "no json", [], {}, {"requests": 5}, {"requests": [5]}, {"requests": [{"image": {"content": ""}}]},
        {"requests": [{"image": {"content": ""}, "features": [5]}]},
        {"requests": [{"image": {"content": 5}, "features": []}]},
        {"requests": [{"image": {"content": "~"}, "features": []}]},
        {"requests": [{"image": {}, "features": [], "imageContext": 5}]},
    ],
)  # fmt: skip
def test_a_malformed_request(digitrec_emulator, body):
    endpoint = digitrec_emulator(["google"], engine=reads(SEVEN)).endpoints["google"]
    answer = rest.post(f"{endpoint}/v1/images:annotate", json=body, timeout=TIMEOUT)
    assert answer.status_code == 400
    assert answer.json()["error"]["status"] == "INVALID_ARGUMENT"


@pytest.mark.parametrize("padding", ["", "="])
def test_base64_of_either_alphabet(digitrec_emulator, padding):
    content = base64.urlsafe_b64encode(picture()).decode().rstrip("=") + padding
    body = {"requests": [{"image": {"content": content}, "features": [{"type": "TEXT_DETECTION"}]}]}
    endpoint = digitrec_emulator(["google"], engine=reads(SEVEN)).endpoints["google"]
    answer = rest.post(f"{endpoint}/v1/projects/p/images:annotate", json=body, timeout=TIMEOUT)
    assert answer.json()["responses"][0]["fullTextAnnotation"]["text"] == "7"


class TestStrictCredentials:
    @pytest.fixture
    def endpoint(self, digitrec_emulator) -> str:
        taken = Credentials(google_api_keys=frozenset({"right"}), google_tokens=frozenset({"token"}))
        return digitrec_emulator(["google"], engine=reads(SEVEN), credentials=taken).endpoints["google"]

    def test_the_right_key(self, endpoint):
        with google(endpoint, api_key="right") as client:
            answer = client.document_text_detection(image=Image(content=picture()), **GOOD)
        assert answer.full_text_annotation.text == "7"

    def test_a_wrong_key(self, endpoint):
        with google(endpoint, api_key="wrong") as client, pytest.raises(exceptions.BadRequest) as caught:
            client.document_text_detection(image=Image(content=picture()), **GOOD)
        assert caught.value.reason == "API_KEY_INVALID"

    def test_no_key(self, endpoint):
        with google(endpoint) as client, pytest.raises(exceptions.Forbidden):
            client.document_text_detection(image=Image(content=picture()), **GOOD)

    @pytest.mark.parametrize("token", ["token", "another"])
    def test_a_token(self, endpoint, token):
        body = {"requests": [{"image": {"content": ""}, "features": [{"type": "TEXT_DETECTION"}]}]}
        headers = {"Authorization": f"Bearer {token}"}
        answer = rest.post(f"{endpoint}/v1/images:annotate", json=body, headers=headers, timeout=TIMEOUT)
        assert answer.status_code == (200 if token == "token" else 401)


def test_where_only_tokens_are_taken_a_key_is_not(digitrec_emulator):
    taken = Credentials(google_tokens=frozenset({"token"}))
    endpoint = digitrec_emulator(["google"], engine=reads(), credentials=taken).endpoints["google"]
    with google(endpoint, api_key="any") as client, pytest.raises(exceptions.BadRequest):
        client.document_text_detection(image=Image(content=picture()), **GOOD)


def test_a_rate_is_kept_as_google_keeps_it(digitrec_emulator):
    emulator = digitrec_emulator(["google"], engine=reads(SEVEN), faults=["limit:calls=1,seconds=1000"])
    annotated(emulator.endpoints["google"], request(picture()))
    with pytest.raises(exceptions.TooManyRequests) as caught:
        annotated(emulator.endpoints["google"], request(picture()))
    assert caught.value.reason == "RATE_LIMIT_EXCEEDED"
    assert 990 < int(caught.value.response.headers["Retry-After"]) <= 1000
    assert (emulator.calls("google"), emulator.billed("google")) == (2, 1)


@pytest.mark.parametrize(
    ("kind", "reason", "unit"),
    [
        ("403", "SERVICE_DISABLED", None),
        ("429", "RATE_LIMIT_EXCEEDED", "1/min/{project}"),
        ("quota", "RATE_LIMIT_EXCEEDED", "1/d/{project}"),
    ],
)
def test_googles_reasons(digitrec_emulator, kind, reason, unit):
    emulator = digitrec_emulator(["google"], engine=reads(SEVEN), faults=[f"{kind}:after=7"])
    with pytest.raises(exceptions.GoogleAPICallError) as caught:
        annotated(emulator.endpoints["google"], request(picture()))
    assert caught.value.reason == reason
    assert caught.value.metadata.get("quota_unit") == unit
    assert caught.value.response.headers["Retry-After"] == "7"
