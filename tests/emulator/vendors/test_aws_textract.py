"""boto3 against the emulated Textract, nothing of ours in between."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from digitrec.emulator import Credentials

from ..clients import BELOW, FORTY_TWO, SEVEN, TIMEOUT, aws, picture, reads

NAME = "aws-textract"


@contextmanager
def textract(endpoint: str, key: str = "test", secret: str = "test") -> Iterator[Any]:
    with aws(endpoint, key, secret, TIMEOUT, service="textract") as client:
        yield client


def read(endpoint: str, content: bytes, **keys: str) -> Any:
    with textract(endpoint, **keys) as client:
        return client.detect_document_text(Document={"Bytes": content})


def refused(endpoint: str, content: bytes, **keys: str) -> str:
    with pytest.raises(ClientError) as caught:
        read(endpoint, content, **keys)
    return str(caught.value.response["Error"]["Code"])


def test_a_page_of_lines_of_words(digitrec_emulator):
    emulator = digitrec_emulator([NAME], engine=reads(SEVEN, FORTY_TWO, BELOW))
    answer = read(emulator.endpoints[NAME], picture((200, 300)))
    assert answer["DocumentMetadata"] == {"Pages": 1}
    assert answer["DetectDocumentTextModelVersion"] == "emulated-function"
    page, *texts = answer["Blocks"]
    found = [(one["BlockType"], one["Text"], one.get("TextType")) for one in texts]
    assert found == [
        ("LINE", "7 42", None), ("LINE", "8", None),
        ("WORD", "7", "PRINTED"), ("WORD", "42", "PRINTED"), ("WORD", "8", "PRINTED"),
    ]  # fmt: skip
    assert [one["Confidence"] for one in texts] == pytest.approx([50, 25, 93, 50, 25])
    within = [one["Relationships"][0]["Ids"] for one in (page, *texts[:2])]
    assert within == [[texts[0]["Id"], texts[1]["Id"]], [texts[2]["Id"], texts[3]["Id"]], [texts[4]["Id"]]]
    box = texts[2]["Geometry"]["BoundingBox"]
    assert box == pytest.approx({"Left": 0.4, "Top": 10 / 300, "Width": 0.2, "Height": 100 / 300})
    assert emulator.counts(NAME).billed == 1


def test_an_image_without_text_is_a_page_alone(digitrec_emulator):
    answer = read(digitrec_emulator([NAME], engine=reads()).endpoints[NAME], picture())
    assert [block["BlockType"] for block in answer["Blocks"]] == ["PAGE"]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"no picture", "UnsupportedDocumentException"),
        (picture(form="GIF"), "UnsupportedDocumentException"),
        (picture() + bytes(10 * 1024 * 1024), "DocumentTooLargeException"),
        (picture((10_001, 20)), "BadDocumentException"),
    ],
    ids=["none", "gif", "heavy", "wide"],
)
def test_documents_that_are_refused(digitrec_emulator, content, code):
    emulator = digitrec_emulator([NAME], engine=reads(SEVEN))
    assert refused(emulator.endpoints[NAME], content) == code
    assert emulator.counts(NAME).billed == 0


def test_a_document_in_s3_is_out_of_reach(digitrec_emulator):
    with (
        textract(digitrec_emulator([NAME], engine=reads(SEVEN)).endpoints[NAME]) as client,
        pytest.raises(ClientError, match="InvalidS3ObjectException"),
    ):
        client.detect_document_text(Document={"S3Object": {"Bucket": "bucket", "Name": "n"}})


def test_keys_are_verified_and_for_this_service(digitrec_emulator):
    keys = Credentials(aws_keys={"AKID": "secret"})
    endpoint = digitrec_emulator([NAME], engine=reads(SEVEN), credentials=keys).endpoints[NAME]
    assert read(endpoint, picture(), key="AKID", secret="secret")["Blocks"]
    assert refused(endpoint, picture(), key="AKID", secret="other") == "InvalidSignatureException"
    assert refused(endpoint, picture()) == "UnrecognizedClientException"


def test_another_operation_is_not_there(digitrec_emulator):
    endpoint = digitrec_emulator([NAME], engine=reads(SEVEN)).endpoints[NAME]
    with textract(endpoint) as client, pytest.raises(ClientError, match="UnknownOperationException"):
        client.analyze_document(Document={"Bytes": picture()}, FeatureTypes=["TABLES"])


@pytest.mark.parametrize("body", [b"", b"[]", b"null", b'{"Document":7}', b'{"Document":{"Bytes":"!"}}'])
def test_input_of_another_form(digitrec_emulator, body):
    import requests
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials as Keys

    endpoint = digitrec_emulator([NAME], engine=reads(SEVEN)).endpoints[NAME]
    request = AWSRequest("POST", endpoint, {"X-Amz-Target": "Textract.DetectDocumentText"}, body)
    SigV4Auth(Keys("test", "test"), "textract", "eu-west-1").add_auth(request)
    answer = requests.post(endpoint, body, headers=dict(request.headers.items()), timeout=TIMEOUT)
    assert (answer.status_code, json.loads(answer.content)["__type"]) == (400, "SerializationException")
