"""AWS: Rekognition's DetectText and Textract's DetectDocumentText."""

import base64
import json
import re
import uuid
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from digitrec.emulator.reading import Picture, Word, as_line, corners, lines
from digitrec.emulator.vendors.base import PictureVendor, Request, Response
from digitrec.image import Box

MEDIA_TYPE = "application/x-amz-json-1.1"
SIGNED = r"AWS4-HMAC-SHA256 Credential=(?P<key>[^/,\s]+)/"
"""The beginning of a signed request's Authorization (Signature Version 4)."""
MAX_WORDS = 100
"""Maximum number of words that DetectText returns."""
TEST_KEYS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",  # nosec B105 # belongs to no account
    "AWS_DEFAULT_REGION": "us-east-1",
}


class AwsVendor(PictureVendor):
    """A service of AWS with one operation."""

    family = "aws"
    request_id = "x-amzn-RequestId"
    operation: ClassVar[str]
    """The header X-Amz-Target."""
    holder: ClassVar[str]
    """The field of the input that holds the picture."""

    @staticmethod
    def error(code: str, message: str, status: int = 400) -> Response:
        """Return an error in AWS's form; ``code`` is the exception's name."""
        body = {"__type": code, "Code": code, "Message": message}
        return Response.of_json(status, body, media_type=MEDIA_TYPE)

    def read(self, request: Request) -> Response:
        """Return the operation's answer to a request that names an accepted key; no signature is verified."""
        if request.method != "POST" or request.headers.get("x-amz-target") != self.operation:
            return self.error("UnknownOperationException", "")
        signed = re.match(SIGNED, request.headers.get("authorization", ""))
        self.check_key(signed["key"] if signed else "")
        try:
            asked = json.loads(request.body)
            content = base64.b64decode(asked[self.holder]["Bytes"], validate=True)
        except (ValueError, KeyError, TypeError, RecursionError):
            return self.error("SerializationException", "")
        if more := asked.keys() - {self.holder}:
            return self.error("InvalidParameterException", f"This emulator has no {', '.join(more)}.")
        return Response.of_json(200, self.reading(content), media_type=MEDIA_TYPE, billed=1)


class Aws(AwsVendor):
    """AWS Rekognition."""

    name = "aws"
    variables: ClassVar[Mapping[str, str]] = {"AWS_ENDPOINT_URL_REKOGNITION": "{}", **TEST_KEYS}
    operation = "RekognitionService.DetectText"
    holder = "Image"
    formats = ("PNG", "JPEG")
    max_bytes = 5_242_880
    sides = (80, 100_000)

    def found(self, words: Sequence[Word], picture: Picture) -> dict[str, Any]:
        """Return the lines, followed by their words, each with its line's number."""
        rows = lines(words[:MAX_WORDS])
        found = [_detection("LINE", number, as_line(row), picture) for number, row in enumerate(rows)]
        for parent, row in enumerate(rows):
            for word in row:
                found.append({**_detection("WORD", len(found), word, picture), "ParentId": parent})
        return {"TextDetections": found, "TextModelVersion": self.model_version}


class AwsTextract(AwsVendor):
    """AWS Textract."""

    name = "aws-textract"
    variables: ClassVar[Mapping[str, str]] = {"AWS_ENDPOINT_URL_TEXTRACT": "{}", **TEST_KEYS}
    operation = "Textract.DetectDocumentText"
    holder = "Document"
    formats = ("PNG", "JPEG", "TIFF")  # the service also accepts PDF, which the emulator does not
    max_bytes = 10 * 1024 * 1024
    sides = (1, 10_000)

    def found(self, words: Sequence[Word], picture: Picture) -> dict[str, Any]:
        """Return the page, the lines and the words; each block names the blocks inside it."""
        style = "HANDWRITING" if self.engine == "local" else "PRINTED"
        found_lines, found_words = [], []
        for row in lines(words):
            within = [{**_text_block("WORD", word, picture), "TextType": style} for word in row]
            found_lines.append(_around(_text_block("LINE", as_line(row), picture), within))
            found_words += within
        page = _around(_block("PAGE", picture.whole, picture), found_lines)
        return {
            "DocumentMetadata": {"Pages": 1},
            "Blocks": [page, *found_lines, *found_words],
            "DetectDocumentTextModelVersion": self.model_version,
        }


def _detection(kind: str, number: int, word: Word, picture: Picture) -> dict[str, Any]:
    return {
        "DetectedText": word.text, "Type": kind, "Id": number, "Confidence": 100 * word.confidence,
        "Geometry": _geometry(word.box, picture),
    }  # fmt: skip


def _block(kind: str, box: Box, picture: Picture) -> dict[str, Any]:
    return {"BlockType": kind, "Id": str(uuid.uuid4()), "Geometry": _geometry(box, picture)}


def _text_block(kind: str, word: Word, picture: Picture) -> dict[str, Any]:
    return {**_block(kind, word.box, picture), "Text": word.text, "Confidence": 100 * word.confidence}


def _around(block: dict[str, Any], within: Sequence[dict[str, Any]]) -> dict[str, Any]:
    ids = [inner["Id"] for inner in within]
    return {**block, "Relationships": [{"Type": "CHILD", "Ids": ids}]} if ids else block


def _geometry(box: Box, picture: Picture) -> dict[str, Any]:
    """Return the box as shares of the picture's width and height."""
    shares = [(x / picture.width, y / picture.height) for x, y in corners(box)]
    (left, top), (right, bottom) = shares[0], shares[2]
    return {
        "BoundingBox": {"Left": left, "Top": top, "Width": right - left, "Height": bottom - top},
        "Polygon": [{"X": x, "Y": y} for x, y in shares],
    }
