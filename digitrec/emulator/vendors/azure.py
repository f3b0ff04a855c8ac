"""Azure Computer Vision, Read 3.2: a picture is posted, and its reading is fetched by polling."""

from __future__ import annotations

import math
import re
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from digitrec.emulator.credentials import Credentials
from digitrec.emulator.engines import Reader
from digitrec.emulator.picture import Box, Picture, Word, bounding_box, lines
from digitrec.emulator.vendors.azure_resource import (
    FAILURES,
    AzureVendor,
    Refused,
    bad_image,
    bad_parameter,
    binary_picture,
    corners,
    error,
)
from digitrec.emulator.vendors.base import Request, Response

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
KEPT_S = 48 * 3600.0
"""How long an operation is remembered."""
MODEL_VERSIONS = (
    "latest", "latest-preview", "2021-04-12", "2021-09-30-preview", "2021-09-30", "2022-01-30-preview",
    "2022-01-30", "2022-04-30",
)  # fmt: skip
_LANGUAGES = """
af sq anp ar ast awa az bfy eu be be-cyrl be-latn bho bi brx bs bra br bg bns bua ca ceb rab ch hne zh-hans
zh-hant kw co crh hr cs da prs dhi doi nl en myv et fo fj fil fi fr fur gag gl de gil gon kl gvr ht hlb hni
bgc haw hi mww hoc hu is smn id ia iu ga it ja jns jv kea kac xnr krc kaa kaa-cyrl csb kk kk-cyrl kk-latn
klr kha quc ko kfq kpy kos kum ku ku-arab ku-latn kru ky lkt la lt dsb smj lb bfz ms mt kmj gv mi mr mn
cnr-cyrl cnr-latn nap ne niu nog sme no oc os ps fa pl pt pa ksh ro rm ru sck sm sa sat sco gd sr sr-cyrl
sr-latn xsr srx sms sk sl so sma es sw sv tg tt tet thf to tr tk tyv hsb ur ug uz uz-arab uz-cyrl vo wae cy fy
yua za zu
"""
LANGUAGES = frozenset(_LANGUAGES.split())
"""The language codes it takes, in lower case; each forces its reading ("Language support", and its SDK)."""
READING_ORDERS = ("basic", "natural")
STYLE_CONFIDENCE = 0.9
"""How sure every line's style is; no engine says, so it is a constant."""
_PAGES = re.compile(r"[1-9]\d{0,8}(-[1-9]\d{0,8})?", re.ASCII)


@dataclass(slots=True)
class _Operation:
    """A reading that waits to be fetched."""

    result: dict[str, Any]
    created: str
    ordered_at: float
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
        return Response(202)

    def unfinished(self, request: Request) -> Response:
        """The poll's answer "running"."""
        return Response.of_json(
            200, {"status": "running", "createdDateTime": _now(), "lastUpdatedDateTime": _now()}
        )

    def _begin(self, request: Request) -> Response:
        language = _check_parameters(request.parameters)
        picture = binary_picture(request, formats=FORMATS, max_bytes=MAX_BYTES)
        if min(picture.width, picture.height) < MIN_SIDE or max(picture.width, picture.height) > MAX_SIDE:
            message = f"Image must be at least {MIN_SIDE} and at most {MAX_SIDE} pixels in width and height"
            raise Refused(bad_image("InvalidImageSize", message))
        style = "handwriting" if self.reader.name == "local" else "other"
        result = _result(self.reader.read(picture), picture, self.model_version, style, language)
        number = str(uuid.uuid4())
        with self._lock:
            self._operations[number] = _Operation(result, _now(), time.monotonic())
            if len(self._operations) > KEPT:
                self._operations.popitem(last=False)
        location = f"http://{request.headers.get('host', '')}/vision/v3.2/read/analyzeResults/{number}"
        return Response(202, headers={"Operation-Location": location}, billed=1)

    def _poll(self, request: Request) -> Response:
        match = POLL_ADDRESS.fullmatch(request.path)
        with self._lock:
            if match is None or request.method != "GET":
                return FAILURES["404"]()
            operation = self._operations.get(match["id"])
            age_s = time.monotonic() - operation.ordered_at if operation else math.inf
            if operation is None or age_s > KEPT_S:
                return error(404, "NotFound", "The operation is not known, or its result has expired.")
            step = operation.polls
            operation.polls += 1
        times = {"createdDateTime": operation.created, "lastUpdatedDateTime": _now()}
        if step < len(STEPS) and age_s < DONE_AFTER_S:
            return Response.of_json(200, {"status": STEPS[step], **times})
        return Response.of_json(200, {"status": "succeeded", **times, "analyzeResult": operation.result})


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _check_parameters(parameters: Mapping[str, str]) -> str | None:
    """The language that was asked for, None for none.

    Raises:
        Refused: a parameter of the query has a value that the service would not take.
    """
    if (model := parameters.get("model-version", "latest")) not in MODEL_VERSIONS:
        raise bad_parameter("InvalidModel", f"The model version '{model}' is not supported.")
    if (order := parameters.get("readingOrder", "basic")) not in READING_ORDERS:
        raise bad_parameter(
            "BadArgument", f"The reading order '{order}' is not one of {', '.join(READING_ORDERS)}."
        )
    language = parameters.get("language")
    if language is not None and language.lower() not in LANGUAGES:
        raise bad_parameter("NotSupportedLanguage", f"The language '{language}' is not supported.")
    if not _first_page_is_meant(parameters.get("pages", "1")):
        raise bad_parameter(
            "BadArgument", "The page range is not one like '1' or '1-3,5', or has no page of the image."
        )
    return language


def _first_page_is_meant(pages: str) -> bool:
    """Whether it is a list of pages and ranges with page 1 among them, the only one that is read."""
    parts = [part.strip() for part in pages.split(",")]
    if not all(_PAGES.fullmatch(part) for part in parts):
        return False
    ranges = [(int(first), int(last or first)) for first, _, last in (part.partition("-") for part in parts)]
    return all(first <= last for first, last in ranges) and any(first == 1 for first, _ in ranges)


def _result(
    words: Sequence[Word], picture: Picture, model_version: str, style: str, language: str | None
) -> dict[str, Any]:
    """One page of lines of words; for no words a page without lines."""
    page: dict[str, Any] = {
        "page": 1, "angle": 0.0, "width": picture.width, "height": picture.height, "unit": "pixel",
        "lines": [_line(row, style) for row in lines(words)],
    }  # fmt: skip
    if language is not None:
        page["language"] = language
    return {"version": "3.2.0", "modelVersion": model_version, "readResults": [page]}


def _line(row: Sequence[Word], style: str) -> dict[str, Any]:
    return {
        "boundingBox": _flat(bounding_box(row)),
        "text": " ".join(word.text for word in row),
        "appearance": {"style": {"name": style, "confidence": STYLE_CONFIDENCE}},
        "words": [_word(word) for word in row],
    }


def _word(word: Word) -> dict[str, Any]:
    return {"boundingBox": _flat(word.box), "text": word.text, "confidence": round(word.confidence, 3)}


def _flat(box: Box) -> list[float]:
    return [value for corner in corners(box) for value in corner]
