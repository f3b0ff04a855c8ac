"""AWS Textract: DetectDocumentText."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from digitrec.emulator.picture import Box, Picture, Word, bounding_box, lines
from digitrec.emulator.vendors.aws_json import AwsVendor, error, failures, geometry, image_bytes, response
from digitrec.emulator.vendors.base import Request, Response

MAX_SIDE = 10_000
"""Textract's largest width and height, in px."""

_TOO_LARGE = "The document has exceeded the maximum size"
FAILURES: dict[str, Callable[[], Response]] = {
    **failures("textract:DetectDocumentText"),
    "bad image": partial(error, "UnsupportedDocumentException", "Request has unsupported document format"),
    **dict.fromkeys(("413", "too large"), partial(error, "DocumentTooLargeException", _TOO_LARGE)),
    "quota": partial(error, "LimitExceededException", "An Amazon Textract service limit was exceeded."),
}
"""Textract's answer for each fault and limit, and for what can be wrong with a document."""


class AwsTextract(AwsVendor):
    """AWS Textract."""

    name = "aws-textract"
    service = "textract"
    operation = "Textract.DetectDocumentText"
    failures = FAILURES
    formats = ("PNG", "JPEG", "TIFF")  # the service takes PDF too, which is not emulated
    max_bytes = 10 * 1024 * 1024  # "Set quotas in Amazon Textract"

    def without_field(self, request: Request) -> Response:
        """An answer without "Blocks"."""
        return response(200, {"DocumentMetadata": {"Pages": 1}})

    def _parsed(self, asked: Any) -> bytes | None:
        return image_bytes(asked["Document"])

    def _answered(self, asked: bytes | None) -> Response:
        picture = self.picture(asked)
        if max(picture.width, picture.height) > MAX_SIDE:
            return error("BadDocumentException", "Request has bad document")
        style = "HANDWRITING" if self.reader.name == "local" else "PRINTED"
        body = {
            "DocumentMetadata": {"Pages": 1},
            "Blocks": _blocks(self.reader.read(picture), picture, style),
            "DetectDocumentTextModelVersion": self.model_version,
        }
        return response(200, body, billed=1)


def _blocks(words: Sequence[Word], picture: Picture, style: str) -> list[dict[str, Any]]:
    """The page, then the lines, then their words, each naming those within it, as Textract lists them."""
    page = _block("PAGE", picture.whole, picture)
    found_lines, found_words = [], []
    for row in lines(words):
        line = _block("LINE", bounding_box(row), picture, row)
        within = [{**_block("WORD", word.box, picture, [word]), "TextType": style} for word in row]
        found_lines.append(_around(line, within))
        found_words += within
    return [_around(page, found_lines), *found_lines, *found_words]


def _block(kind: str, box: Box, picture: Picture, words: Sequence[Word] = ()) -> dict[str, Any]:
    block: dict[str, Any] = {"BlockType": kind, "Id": str(uuid.uuid4()), "Geometry": geometry(box, picture)}
    if words:
        block["Text"] = " ".join(word.text for word in words)
        block["Confidence"] = 100 * min(word.confidence for word in words)
    return block


def _around(block: dict[str, Any], within: Sequence[dict[str, Any]]) -> dict[str, Any]:
    ids = [inner["Id"] for inner in within]
    return {**block, "Relationships": [{"Type": "CHILD", "Ids": ids}]} if ids else block
