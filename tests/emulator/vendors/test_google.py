"""Features of Google only: two text features, batches, languages, and the JSON of protobuf."""

import base64
import json
from typing import Any

import pytest
import requests as rest
from google.api_core import exceptions
from google.cloud import vision
from google.protobuf import json_format

from digitrec.emulator import Word

from ..clients import ASK, BELOW, FORTY_TWO, SEVEN, TIMEOUT, code, google, picture, reads

DOCUMENT, PLAIN = vision.Feature.Type.DOCUMENT_TEXT_DETECTION, vision.Feature.Type.TEXT_DETECTION


def request(
    content: bytes, *kinds: vision.Feature.Type, context: vision.ImageContext | None = None
) -> vision.AnnotateImageRequest:
    features = [vision.Feature(type_=kind) for kind in kinds or (DOCUMENT,)]
    image = vision.Image(content=content)
    return vision.AnnotateImageRequest(image=image, features=features, image_context=context)


def annotated(endpoint: str, *requests: vision.AnnotateImageRequest) -> list[Any]:
    with google(endpoint) as client:
        return list(client.batch_annotate_images(requests=requests, retry=None, timeout=TIMEOUT).responses)


@pytest.fixture
def endpoint(digitrec_emulator) -> str:
    return digitrec_emulator(["google"], engine=reads(SEVEN)).endpoints["google"]


def test_every_level_says_its_confidence_and_every_word_its_break(digitrec_emulator):
    engine = reads(SEVEN, FORTY_TWO, Word("AB", 0.0, (0, 200, 40, 260)))
    endpoint = digitrec_emulator(["google"], engine=engine).endpoints["google"]
    (answer,) = annotated(endpoint, request(picture()))
    (page,) = answer.full_text_annotation.pages
    (block,) = page.blocks
    (paragraph,) = block.paragraphs
    assert [level.confidence for level in (page, block, paragraph)] == pytest.approx([1.43 / 3] * 3)
    assert [said.description for said in answer.text_annotations] == ["7 42\nAB", "7", "42", "AB"]
    breaks = [word.symbols[-1].property.detected_break.type_.name for word in paragraph.words]
    assert breaks == ["SPACE", "LINE_BREAK", "LINE_BREAK"]


@pytest.mark.parametrize("kind", ["DOCUMENT_TEXT_DETECTION", "TEXT_DETECTION"])
def test_the_json_is_googles_form_with_nothing_unknown_and_no_zeros(digitrec_emulator, kind):
    engine = reads(Word("7", 0.0, (0, 0, 40, 60)), FORTY_TWO)
    endpoint = digitrec_emulator(["google"], engine=engine).endpoints["google"]
    content = base64.b64encode(picture()).decode()
    body = {"requests": [{"image": {"content": content}, "features": [{"type": kind}]}]}
    text = rest.post(f"{endpoint}/v1/images:annotate", json=body, timeout=TIMEOUT).text
    message = json_format.Parse(text, vision.BatchAnnotateImagesResponse.pb()(), ignore_unknown_fields=False)
    assert json.loads(json_format.MessageToJson(message, indent=None)) == json.loads(text)
    assert ("confidence" in text) == (kind == "DOCUMENT_TEXT_DETECTION")


def test_text_detection_gives_confidences_only_when_asked(endpoint):
    params = vision.TextDetectionParams(enable_text_detection_confidence_score=True)
    scored = vision.ImageContext(text_detection_params=params)
    answers = annotated(endpoint, request(picture(), PLAIN), request(picture(), PLAIN, context=scored))
    pages = [answer.full_text_annotation.pages[0] for answer in answers]
    assert [page.confidence for page in pages] == pytest.approx([0, 0.93])


def test_each_feature_of_each_good_image_is_billed(digitrec_emulator):
    emulator = digitrec_emulator(["google"], engine=reads(BELOW))
    good, bad = request(picture(), DOCUMENT, PLAIN), request(b"no picture")
    other = request(picture(), vision.Feature.Type.LABEL_DETECTION)
    image = vision.Image(source={"image_uri": "https://example.org/7.png"})
    named = vision.AnnotateImageRequest(image=image, features=[vision.Feature(type_=DOCUMENT)])
    answers = annotated(emulator.endpoints["google"], good, bad, other, named, good)
    assert [answer.error.code for answer in answers] == [0, 3, 12, 7, 0]
    assert (emulator.calls("google"), emulator.counts("google").billed) == (1, 4)


NO_IMAGE: dict[str, Any] = {"features": [{"type": 11}]}


@pytest.mark.parametrize("body", [
    "no json", {}, {"requests": [5]}, {"requests": [{"image": {"content": "~"}, "features": []}]},
    {"requests": [NO_IMAGE]}, {"requests": [{"image": {}, **NO_IMAGE}] * 17},
])  # fmt: skip
def test_a_malformed_request(endpoint, body):
    answer = rest.post(f"{endpoint}/v1/images:annotate", json=body, timeout=TIMEOUT)
    assert (answer.status_code, answer.json()["error"]["status"]) == (400, "INVALID_ARGUMENT")


@pytest.mark.parametrize(("kind", "reason", "unit"), [
    ("403", "SERVICE_DISABLED", None), ("429", "RATE_LIMIT_EXCEEDED", "1/min/{project}"),
    ("quota", "RATE_LIMIT_EXCEEDED", "1/d/{project}"),
])  # fmt: skip
def test_googles_reasons(digitrec_emulator, kind, reason, unit):
    endpoint = digitrec_emulator(["google"], engine=reads(), faults=[f"{kind}:after=7"]).endpoints["google"]
    with pytest.raises(exceptions.GoogleAPICallError) as caught:
        ASK["google"](endpoint, picture(), "")
    assert code(caught.value) == reason
    assert caught.value.metadata.get("quota_unit") == unit
    assert caught.value.response.headers["Retry-After"] == "7"
