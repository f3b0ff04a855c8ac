"""boto3 against the emulator, nothing of ours in between."""

from __future__ import annotations

import pytest
import requests as rest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials as Keys
from botocore.exceptions import ClientError

from digitrec.emulator import Word

from ..clients import BELOW, FORTY_TWO, SEVEN, TIMEOUT, aws, detect_text, heavy, picture, reads


def test_every_text_comes_as_a_line_and_as_words(digitrec_emulator):
    emulator = digitrec_emulator(["aws"], engine=reads(SEVEN, FORTY_TWO, BELOW))
    answer = detect_text(emulator.endpoints["aws"], Image={"Bytes": picture((200, 300))})

    found = [
        (one["Type"], one["DetectedText"], one["Id"], one.get("ParentId")) for one in answer["TextDetections"]
    ]
    assert found == [
        ("LINE", "7 42", 0, None), ("LINE", "8", 1, None),
        ("WORD", "7", 2, 0), ("WORD", "42", 3, 0), ("WORD", "8", 4, 1),
    ]  # fmt: skip
    assert [one["Confidence"] for one in answer["TextDetections"]] == pytest.approx([50, 25, 93, 50, 25])
    box = answer["TextDetections"][2]["Geometry"]["BoundingBox"]
    assert box == pytest.approx({"Left": 0.4, "Top": 10 / 300, "Width": 0.2, "Height": 100 / 300})
    assert answer["TextModelVersion"] == "emulated-function"
    assert emulator.counts("aws").billed == 1


def test_an_image_without_text_gets_the_empty_answer(digitrec_emulator):
    endpoint = digitrec_emulator(["aws"], engine=reads()).endpoints["aws"]
    assert detect_text(endpoint)["TextDetections"] == []


def test_no_more_than_a_hundred_words(digitrec_emulator):
    many = [Word(str(n), 1.0, (n, 0, n + 1, 10)) for n in range(150)]
    answer = detect_text(digitrec_emulator(["aws"], engine=reads(*many)).endpoints["aws"])
    assert sum(one["Type"] == "WORD" for one in answer["TextDetections"]) == 100


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (picture((79, 200)), "InvalidParameterException"),
        (picture((200, 79)), "InvalidParameterException"),
        (picture(form="GIF"), "InvalidImageFormatException"),
        (b"no picture", "InvalidImageFormatException"),
        (picture()[:100], "InvalidImageFormatException"),
        (heavy(5_242_881), "ValidationException"),
    ],
    ids=["narrow", "low", "gif", "no picture", "cut off", "over 5 MB"],
)
def test_limits(digitrec_emulator, content, code):
    emulator = digitrec_emulator(["aws"], engine=reads(SEVEN))
    with pytest.raises(ClientError) as caught:
        detect_text(emulator.endpoints["aws"], Image={"Bytes": content})
    assert caught.value.response["Error"]["Code"] == code
    assert emulator.counts("aws").billed == 0


@pytest.mark.parametrize("content", [picture((80, 80)), picture(form="JPEG"), heavy(5_242_880)], ids=len)
def test_within_the_limits(digitrec_emulator, content):
    endpoint = digitrec_emulator(["aws"], engine=reads(SEVEN)).endpoints["aws"]
    assert detect_text(endpoint, Image={"Bytes": content})["TextDetections"]


@pytest.mark.parametrize(
    "image",
    [{"S3Object": {"Bucket": "bucket", "Name": "7.png"}}, {}],
)
def test_a_picture_in_s3_is_not_fetched(digitrec_emulator, image):
    endpoint = digitrec_emulator(["aws"], engine=reads(SEVEN)).endpoints["aws"]
    with pytest.raises(ClientError, match="InvalidS3ObjectException"):
        detect_text(endpoint, Image=image)


def test_a_rate_is_kept_as_aws_keeps_it(digitrec_emulator):
    emulator = digitrec_emulator(["aws"], engine=reads(SEVEN), faults=["limit:calls=2,seconds=1000"])
    assert [len(detect_text(emulator.endpoints["aws"])["TextDetections"]) for _ in range(2)] == [2, 2]
    with pytest.raises(ClientError) as caught:
        detect_text(emulator.endpoints["aws"])
    assert caught.value.response["Error"]["Code"] == "ProvisionedThroughputExceededException"
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert "retry-after" not in caught.value.response["ResponseMetadata"]["HTTPHeaders"]
    assert (emulator.calls("aws"), emulator.billed("aws")) == (3, 2)


@pytest.mark.parametrize("fault", ["503", "502", "limit:calls=1", "html", "empty", "redirect:status=301"])
def test_every_answer_has_a_number(digitrec_emulator, fault):
    endpoint = digitrec_emulator(["aws"], engine=reads(SEVEN), faults=[fault]).endpoints["aws"]
    answers = [rest.post(endpoint, b"", timeout=TIMEOUT, allow_redirects=False) for _ in range(2)]
    numbers = {answer.headers["x-amzn-RequestId"] for answer in answers}
    assert len(numbers) == 2


@pytest.mark.parametrize("body", [b"no json", b"5", b"{}", b'{"Image": 5}', b'{"Image": {"Bytes": "~"}}'])
def test_a_malformed_request(digitrec_emulator, body):
    endpoint = digitrec_emulator(["aws"], engine=reads(SEVEN)).endpoints["aws"]
    headers = {"X-Amz-Target": "RekognitionService.DetectText", "Content-Type": "application/x-amz-json-1.1"}
    signed = AWSRequest("POST", endpoint, headers=headers, data=body)
    SigV4Auth(Keys("test", "test"), "rekognition", "eu-west-1").add_auth(signed)
    answer = rest.post(endpoint, body, headers=dict(signed.headers), timeout=TIMEOUT)
    assert answer.json()["__type"] == "SerializationException"


def test_another_operation_is_unknown(digitrec_emulator):
    endpoint = digitrec_emulator(["aws"], engine=reads(SEVEN)).endpoints["aws"]
    unknown = pytest.raises(ClientError, match="UnknownOperationException")
    with aws(endpoint, "test", "test", TIMEOUT) as client, unknown:
        client.detect_labels(Image={"Bytes": picture()})


@pytest.mark.parametrize(
    ("key", "secret", "code"),
    [
        ("test", "wrong", "InvalidSignatureException"),
        ("wrong", "test", "UnrecognizedClientException"),
    ],
)
def test_keys_are_verified(digitrec_emulator, key, secret, code):
    endpoint = digitrec_emulator(["aws"], engine=reads(SEVEN)).endpoints["aws"]
    with pytest.raises(ClientError) as caught:
        detect_text(endpoint, key, secret)
    assert caught.value.response["Error"]["Code"] == code
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
