"""AWS Rekognition, JSON 1.1: DetectText, its signature verified."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from digitrec.emulator.picture import Box, Picture, Word, bounding_box, lines
from digitrec.emulator.vendors.aws_filters import Filters, InvalidFilter
from digitrec.emulator.vendors.aws_json import Refused, error, response, verify
from digitrec.emulator.vendors.base import Request, Response, Vendor
from digitrec.errors import ImageError

OPERATION = "RekognitionService.DetectText"
MAX_BYTES = 5_242_880
"""Rekognition's limit for a picture sent as bytes."""
MIN_SIDE = 80
"""Rekognition's smallest width and height, in px."""
MAX_WORDS = 100
"""DetectText finds no more words than this."""
FORMATS = ("PNG", "JPEG")


class Aws(Vendor):
    """AWS Rekognition."""

    name = "aws"

    @staticmethod
    def environment(endpoint: str) -> dict[str, str]:
        """As AWS's SDK reads them."""
        keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}
        return {"AWS_ENDPOINT_URL_REKOGNITION": endpoint, **keys, "AWS_DEFAULT_REGION": "us-east-1"}

    def answer(self, request: Request) -> Response:
        """Every word twice: in its line, and by itself."""
        if request.method != "POST" or request.headers.get("x-amz-target") != OPERATION:
            return error("UnknownOperationException", "")
        try:
            verify(request, self.credentials.aws_keys, "rekognition")
        except Refused as refused:
            return error(refused.code, str(refused))
        try:
            asked = json.loads(request.body)
            image = asked["Image"]
            content = base64.b64decode(image["Bytes"], validate=True) if "Bytes" in image else None
            filters = Filters.parse(asked.get("Filters"))
        except (ValueError, KeyError, TypeError, RecursionError):
            return error("SerializationException", "")
        except InvalidFilter as bad:
            return error(bad.code, str(bad))
        return FAILURES["no S3"]() if content is None else self._read(content, filters)

    def failure(self, kind: str) -> Response:
        """AWS's own error body; most have HTTP status 400, whatever the fault is called."""
        return FAILURES[kind]()

    def throttled(self, wait_s: int) -> Response:
        """AWS's refusal of what is over an account's rate; it does not say how long to wait."""
        return FAILURES["limit"]()

    def common_headers(self) -> dict[str, str]:
        """The number of the request."""
        return {"x-amzn-RequestId": str(uuid.uuid4())}

    def without_field(self, request: Request) -> Response:
        """An answer without "TextDetections"."""
        return response(200, {})

    def _read(self, content: bytes, filters: Filters) -> Response:
        if len(content) > MAX_BYTES:
            size = f"[pos=0 lim={len(content)} cap={len(content)}]"
            return error("ValidationException", (
                f"1 validation error detected: Value 'java.nio.HeapByteBuffer{size}' at 'image.bytes' failed "
                f"to satisfy constraint: Member must have length less than or equal to {MAX_BYTES}"
            ))  # fmt: skip
        try:
            picture = Picture.decode(content)
        except ImageError:
            return FAILURES["bad image"]()
        if picture.format not in FORMATS:
            return FAILURES["bad image"]()
        if min(picture.width, picture.height) < MIN_SIDE:
            return FAILURES["400"]()
        words = filters.apply(self.reader.read(picture)[:MAX_WORDS], picture)
        body = {"TextDetections": _detections(words, picture), "TextModelVersion": self.model_version}
        return response(200, body, billed=1)


def _detections(words: Sequence[Word], picture: Picture) -> list[dict[str, Any]]:
    """First the lines, then their words, each with its line's number, as Rekognition lists them."""
    rows = lines(words)
    found = [_detection("LINE", number, row, picture) for number, row in enumerate(rows)]
    for parent, row in enumerate(rows):
        for word in row:
            found.append({**_detection("WORD", len(found), [word], picture), "ParentId": parent})
    return found


def _detection(kind: str, number: int, words: Sequence[Word], picture: Picture) -> dict[str, Any]:
    text = " ".join(word.text for word in words)
    return {
        "DetectedText": text,
        "Type": kind,
        "Id": number,
        "Confidence": 100 * min(word.confidence for word in words),
        "Geometry": _geometry(bounding_box(words), picture),
    }


def _geometry(box: Box, picture: Picture) -> dict[str, Any]:
    """The box as shares of the picture's width and height."""
    left, right = box[0] / picture.width, box[2] / picture.width
    top, bottom = box[1] / picture.height, box[3] / picture.height
    corners = ((left, top), (right, top), (right, bottom), (left, bottom))
    return {
        "BoundingBox": {"Left": left, "Top": top, "Width": right - left, "Height": bottom - top},
        "Polygon": [{"X": x, "Y": y} for x, y in corners],
    }


_DENIED = "User: arn:aws:iam::123456789012:user/test is not authorized to perform: rekognition:DetectText"
_NO_S3 = "Unable to get object metadata from S3. Check object key, region and/or access permissions."
_LIMIT = "An Amazon Rekognition service limit was exceeded. Please try again later."

FAILURES: dict[str, Callable[[], Response]] = {
    "bad image": partial(error, "InvalidImageFormatException", "Request has invalid image format"),
    "no S3": partial(error, "InvalidS3ObjectException", _NO_S3),
    "400": partial(error, "InvalidParameterException", "Request has invalid parameters"),
    "401": partial(
        error, "UnrecognizedClientException", "The security token included in the request is invalid."
    ),
    "403": partial(error, "AccessDeniedException", _DENIED),
    "404": partial(
        error, "ResourceNotFoundException", "The resource specified in the request cannot be found."
    ),
    "413": partial(error, "ImageTooLargeException", "Image size is too large"),
    "429": partial(error, "ThrottlingException", "Rate exceeded"),
    "limit": partial(error, "ProvisionedThroughputExceededException", "Provisioned rate exceeded"),
    "quota": partial(error, "LimitExceededException", _LIMIT),
    "500": partial(error, "InternalServerError", "Internal server error", 500),
    "502": partial(Response.of_html, 502, "502 Bad Gateway"),
    "503": partial(error, "ServiceUnavailableException", "Service is unavailable. Try again shortly.", 503),
    "504": partial(Response.of_html, 504, "504 Gateway Time-out"),
}
"""AWS's answer for each fault and limit, and for what can be wrong with an image."""
