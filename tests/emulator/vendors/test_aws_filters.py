"""boto3's Filters against the emulator, and raw ones that boto3 would not send."""

from __future__ import annotations

from typing import Any

import pytest
import requests as rest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as Keys
from botocore.exceptions import ClientError
from hypothesis import given
from hypothesis import strategies as st

from digitrec.emulator import Word
from digitrec.emulator.vendors.aws_filters import Filters, InvalidFilter

from ..clients import SEVEN, TIMEOUT, detect_text, picture, reads

# on a picture of 200 x 100: a tall sure one at the left, a small unsure one at the right
LEFT = Word("1", 0.95, (10, 10, 50, 90))
RIGHT = Word("2", 0.60, (150, 40, 160, 60))


def words(emulator: Any, filters: Any) -> list[str]:
    answer = detect_text(emulator.endpoints["aws"], Image={"Bytes": picture((200, 100))}, Filters=filters)
    return [one["DetectedText"] for one in answer["TextDetections"] if one["Type"] == "WORD"]


def box(left: float, top: float, width: float, height: float) -> dict[str, Any]:
    return {"BoundingBox": {"Left": left, "Top": top, "Width": width, "Height": height}}


def polygon(*points: tuple[float, float]) -> dict[str, Any]:
    return {"Polygon": [{"X": x, "Y": y} for x, y in points]}


TRIANGLE = polygon((0, 0), (1, 0), (0, 1))


@pytest.fixture
def emulator(digitrec_emulator):
    return digitrec_emulator(["aws"], engine=reads(LEFT, RIGHT))


@pytest.mark.parametrize(
    ("filters", "kept"),
    [
        ({}, ["1", "2"]),
        ({"WordFilter": {}}, ["1"]),  # the documented default is 80
        ({"WordFilter": {"MinConfidence": 0}}, ["1", "2"]),
        ({"WordFilter": {"MinConfidence": 60}}, ["1", "2"]),
        ({"WordFilter": {"MinConfidence": 60.5}}, ["1"]),
        ({"WordFilter": {"MinConfidence": 100}}, []),
        ({"WordFilter": {"MinConfidence": 0, "MinBoundingBoxHeight": 0.3}}, ["1"]),
        ({"WordFilter": {"MinConfidence": 0, "MinBoundingBoxWidth": 0.1}}, ["1"]),
        ({"RegionsOfInterest": []}, ["1", "2"]),
        ({"RegionsOfInterest": [box(0, 0, 0.5, 1)]}, ["1"]),
        ({"RegionsOfInterest": [box(0.5, 0, 0.5, 1)]}, ["2"]),
        ({"RegionsOfInterest": [box(0, 0, 0.5, 1), box(0.5, 0, 0.5, 1)]}, ["1", "2"]),
        ({"RegionsOfInterest": [box(0, 0, 0.14, 1)]}, []),  # less than half of the first
        ({"RegionsOfInterest": [box(0, 0, 0.16, 1)]}, ["1"]),  # more than half
        ({"RegionsOfInterest": [polygon((0, 0), (1, 0), (0, 1))]}, ["1"]),
        ({"RegionsOfInterest": [polygon((1, 1), (1, 0), (0, 1))]}, ["2"]),
        ({"RegionsOfInterest": [box(0, 0, 1, 1)], "WordFilter": {"MinConfidence": 90}}, ["1"]),
    ],
)  # fmt: skip
def test_which_words_stay(emulator, filters, kept):
    assert words(emulator, filters) == kept


def test_lines_are_made_of_what_stays(emulator):
    filters = {"WordFilter": {"MinConfidence": 90}}
    answer = detect_text(emulator.endpoints["aws"], Image={"Bytes": picture((200, 100))}, Filters=filters)
    found = [(one["Type"], one["DetectedText"], one["Id"]) for one in answer["TextDetections"]]
    assert found == [("LINE", "1", 0), ("WORD", "1", 1)]
    assert answer["TextDetections"][1]["ParentId"] == 0
    assert len(answer["TextDetections"][1]["Geometry"]["Polygon"]) == 4


@pytest.mark.parametrize(
    ("filters", "code"),
    [
        ({"WordFilter": {"MinConfidence": 100.5}}, "ValidationException"),
        ({"WordFilter": {"MinBoundingBoxHeight": 1.5}}, "ValidationException"),
        ({"RegionsOfInterest": [box(0, 0, 1, 1)] * 11}, "ValidationException"),
        ({"RegionsOfInterest": [polygon(*[(0.1, 0.1)] * 11)]}, "ValidationException"),
        ({"RegionsOfInterest": [{}]}, "InvalidParameterException"),
        ({"RegionsOfInterest": [{**box(0, 0, 1, 1), **TRIANGLE}]}, "InvalidParameterException"),
        ({"RegionsOfInterest": [polygon((0, 0), (1, 0))]}, "InvalidParameterException"),
        ({"RegionsOfInterest": [box(0.5, 0, 0.6, 1)]}, "InvalidParameterException"),
        ({"RegionsOfInterest": [box(0.5, 0, 0, 1)]}, "InvalidParameterException"),
        ({"RegionsOfInterest": [polygon((0, 0), (1.5, 0), (0, 1))]}, "InvalidParameterException"),
    ],
)  # fmt: skip
def test_a_bad_filter(digitrec_emulator, filters, code):
    emulator = digitrec_emulator(["aws"], engine=reads(SEVEN))
    with pytest.raises(ClientError) as caught:
        words(emulator, filters)
    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"]["RequestId"]
    assert emulator.billed("aws") == 0


@pytest.mark.parametrize(
    "filters",
    ["5", "[]", '{"WordFilter": 5}', '{"WordFilter": {"MinConfidence": "80"}}', '{"RegionsOfInterest": {}}',
     '{"WordFilter": {"MinConfidence": true}}', '{"RegionsOfInterest": [{"Polygon": 5}]}',
     '{"WordFilter": {"MinConfidence": NaN}}', '{"WordFilter": {"MinConfidence": 1' + "0" * 400 + "}}"],
)  # fmt: skip
def test_a_filter_of_a_wrong_type(emulator, filters):
    endpoint = emulator.endpoints["aws"]
    body = '{"Image": {"Bytes": ""}, "Filters": ' + filters + "}"
    headers = {"X-Amz-Target": "RekognitionService.DetectText", "Content-Type": "application/x-amz-json-1.1"}
    signed = AWSRequest("POST", endpoint, headers=headers, data=body)
    SigV4Auth(Keys("test", "test"), "rekognition", "eu-west-1").add_auth(signed)
    answer = rest.post(endpoint, body, headers=dict(signed.headers), timeout=TIMEOUT)
    assert (answer.status_code, answer.json()["__type"]) == (400, "SerializationException")


leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
names = [
    "WordFilter",
    "RegionsOfInterest",
    "MinConfidence",
    "MinBoundingBoxHeight",
    "BoundingBox",
    "Polygon",
    "Left",
    "X",
]
anything = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(names), inner),
    max_leaves=12,
)


@given(anything)
def test_any_filter_is_taken_or_refused(filters):
    try:
        taken = Filters.parse(filters)
    except InvalidFilter as bad:
        assert bad.code in ("ValidationException", "SerializationException", "InvalidParameterException")
    else:
        assert 0 <= taken.confidence <= 100
