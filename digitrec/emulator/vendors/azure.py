"""Azure Computer Vision, Read 3.2: a picture is posted, and its reading is fetched by polling."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from digitrec.emulator.picture import Picture, Word, bounding_box, lines
from digitrec.emulator.vendors.azure_operation import PolledVendor
from digitrec.emulator.vendors.azure_resource import (
    FAILURES,
    flat_corners,
)
from digitrec.emulator.vendors.base import Request, Response

POST_ADDRESS = "/vision/v3.2/read/analyze"
POLL_ADDRESS = re.compile(r"/vision/v3\.2/read/analyzeResults/(?P<id>[0-9a-f-]{36})")
KEPT_S = 48 * 3600.0
"""How long an operation is remembered."""
STYLE_CONFIDENCE = 0.9
"""How sure every line's style is; no engine says, so it is a constant."""


class Azure(PolledVendor):
    """Azure Computer Vision, Read 3.2."""

    name = "azure"
    prefix = "/vision/"
    kept_s = KEPT_S

    def read(self, request: Request) -> Response:
        """202 with the address of the result for a picture; the state of an operation for a poll."""
        self.check_key(request)
        if request.method == "POST" and request.path == POST_ADDRESS:
            return self._begin(request)
        return self._poll(request)

    def _begin(self, request: Request) -> Response:
        picture = self.picture(request)
        style = "handwriting" if self.reader.name == "local" else "other"
        result = _result(self.reader.read(picture), picture, self.model_version, style)
        return self.ordered(request, "/vision/v3.2/read/analyzeResults/", {"analyzeResult": result})

    def _poll(self, request: Request) -> Response:
        match = POLL_ADDRESS.fullmatch(request.path)
        if match is None or request.method != "GET":
            return FAILURES["404"]()
        return self.looked_at(match["id"])


def _result(words: Sequence[Word], picture: Picture, model_version: str, style: str) -> dict[str, Any]:
    """One page of lines of words; for no words a page without lines."""
    page = {
        "page": 1, "angle": 0.0, "width": picture.width, "height": picture.height, "unit": "pixel",
        "lines": [_line(row, style) for row in lines(words)],
    }  # fmt: skip
    return {"version": "3.2.0", "modelVersion": model_version, "readResults": [page]}


def _line(row: Sequence[Word], style: str) -> dict[str, Any]:
    return {
        "boundingBox": flat_corners(bounding_box(row)),
        "text": " ".join(word.text for word in row),
        "appearance": {"style": {"name": style, "confidence": STYLE_CONFIDENCE}},
        "words": [_word(word) for word in row],
    }


def _word(word: Word) -> dict[str, Any]:
    return {"boundingBox": flat_corners(word.box), "text": word.text, "confidence": round(word.confidence, 3)}
