"""Azure Computer Vision, Read 3.2: a picture is posted, and its reading is fetched by polling."""

from __future__ import annotations

import re
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from digitrec.emulator.azure_common import (
    FAILURES,
    AzureVendor,
    Refused,
    bad_image,
    binary_picture,
    corners,
    request_id,
)
from digitrec.emulator.credentials import Credentials
from digitrec.emulator.picture import Box, Picture, Word, lines, outline
from digitrec.emulator.protocol import Request, Response
from digitrec.emulator.reading import Reader

POST_ADDRESS = "/vision/v3.2/read/analyze"
POLL_ADDRESS = re.compile(r"/vision/v3\.2/read/analyzeResults/(?P<id>[0-9a-f-]{36})")
MAX_BYTES = 4 * 1024 * 1024
"""The free tier's limit for a picture; a paid tier takes 500 MB."""
MIN_SIDE, MAX_SIDE = 50, 10_000
"""The smallest and largest width and height, in px."""
FORMATS = ("JPEG", "PNG", "BMP", "TIFF")
STEPS = ("notStarted", "running")
"""What the first polls of an operation hear; the next one hears "succeeded"."""
DONE_AFTER_S = 1.0
"""An operation this old is done, however often it was polled: Azure asks for one poll a second or two."""
KEPT = 1000
"""How many operations are remembered, the newest ones."""


@dataclass(slots=True)
class _Operation:
    """A reading that waits to be fetched."""

    result: dict[str, Any]
    created: str
    done_at: float
    polls: int = 0


class Azure(AzureVendor):
    """Azure Computer Vision, Read 3.2."""

    name = "azure"
    prefix = "/vision/"
    polled = True

    def __init__(self, reader: Reader, credentials: Credentials) -> None:
        super().__init__(reader, credentials)
        self._lock = threading.Lock()
        self._operations: OrderedDict[str, _Operation] = OrderedDict()

    def answer(self, request: Request) -> Response:
        """202 with the address of the result for a picture; the state of an operation for a poll."""
        try:
            self.check_key(request)
            if request.method == "POST" and request.path == POST_ADDRESS:
                return self._begin(request)
            return self._poll(request)
        except Refused as refused:
            return refused.response

    def without_field(self, request: Request) -> Response:
        """For a picture a 202 without Operation-Location; for a poll {}."""
        if self.is_poll(request):
            return Response.of_json(200, {})
        return Response(202, headers=request_id())

    def unfinished(self, request: Request) -> Response:
        """The poll's answer "running"."""
        return Response.of_json(
            200, {"status": "running", "createdDateTime": _now(), "lastUpdatedDateTime": _now()}
        )

    def _begin(self, request: Request) -> Response:
        picture = binary_picture(request, formats=FORMATS, max_bytes=MAX_BYTES)
        if min(picture.width, picture.height) < MIN_SIDE or max(picture.width, picture.height) > MAX_SIDE:
            message = f"Image must be at least {MIN_SIDE} and at most {MAX_SIDE} pixels in width and height"
            raise Refused(bad_image("InvalidImageSize", message))
        result = _result(self.reader.read(picture), picture, self.model_version)
        number = str(uuid.uuid4())
        with self._lock:
            self._operations[number] = _Operation(result, _now(), time.monotonic() + DONE_AFTER_S)
            if len(self._operations) > KEPT:
                self._operations.popitem(last=False)
        location = f"http://{request.headers.get('host', '')}/vision/v3.2/read/analyzeResults/{number}"
        return Response(202, headers={"Operation-Location": location, **request_id()}, billed=1)

    def _poll(self, request: Request) -> Response:
        match = POLL_ADDRESS.fullmatch(request.path)
        with self._lock:
            operation = self._operations.get(match["id"]) if match and request.method == "GET" else None
            if operation is None:
                return FAILURES["404"]()
            step = operation.polls
            operation.polls += 1
        times = {"createdDateTime": operation.created, "lastUpdatedDateTime": _now()}
        if step < len(STEPS) and time.monotonic() < operation.done_at:
            return Response.of_json(200, {"status": STEPS[step], **times})
        return Response.of_json(200, {"status": "succeeded", **times, "analyzeResult": operation.result})


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _result(words: Sequence[Word], picture: Picture, model_version: str) -> dict[str, Any]:
    """One page of lines of words; for no words a page without lines."""
    page = {
        "page": 1, "angle": 0.0, "width": picture.width, "height": picture.height, "unit": "pixel",
        "lines": [_line(row) for row in lines(words)],
    }  # fmt: skip
    return {"version": "3.2.0", "modelVersion": model_version, "readResults": [page]}


def _line(row: Sequence[Word]) -> dict[str, Any]:
    text = " ".join(word.text for word in row)
    return {"boundingBox": _flat(outline(row)), "text": text, "words": [_word(word) for word in row]}


def _word(word: Word) -> dict[str, Any]:
    return {"boundingBox": _flat(word.box), "text": word.text, "confidence": round(word.confidence, 3)}


def _flat(box: Box) -> list[float]:
    return [value for corner in corners(box) for value in corner]
