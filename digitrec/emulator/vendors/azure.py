"""Azure resources: Read 3.2 and Image Analysis 4.0 of Computer Vision, and Document Intelligence."""

import time
import uuid
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any, ClassVar

from digitrec.emulator.reading import Picture, Read, Word, as_line, lines, polygon
from digitrec.emulator.vendors.base import POLLS, PictureVendor, Request, Response
from digitrec.image import Box

STYLE_CONFIDENCE = 0.9
"""Confidence of a text's style; a constant, because no engine measures it."""
STEPS = ("notStarted", "running")
"""Statuses for the first polls of an operation; then follows "succeeded"."""
DONE_AFTER_S = 1.0
"""Age at which an operation is finished regardless of the number of polls, in seconds."""
API_VERSIONS = ("2023-10-01", "2024-02-01")
"""Versions of Image Analysis."""
MODELS = "/documentintelligence/documentModels/"


class AzureVendor(PictureVendor):
    """A service of an Azure resource; each address answers for all services of the resource."""

    family = "azure"
    request_id = "apim-request-id"
    variables: ClassVar[Mapping[str, str]] = {"VISION_ENDPOINT": "{}", "VISION_KEY": "test"}
    formats: ClassVar[tuple[str, ...]] = ("JPEG", "PNG", "BMP", "TIFF")
    max_bytes = 4 * 1024 * 1024  # the limit of the free tier
    sides = (50, 10_000)

    @staticmethod
    def error(status: int, code: str, message: str, cause: str = "") -> Response:
        """Return an error in Azure's form, with the code of its cause if Azure names one."""
        inner = {"innererror": {"code": cause, "message": message}} if cause else {}
        return Response.of_json(status, {"error": {"code": code, "message": message, **inner}})

    def check_signed(self, request: Request) -> None:
        """Raise Refused unless the request has an accepted key or token."""
        key = request.headers.get("ocp-apim-subscription-key", "").strip()
        self.check_key(key or request.headers.get("authorization", "").removeprefix("Bearer "))


class PolledVendor(AzureVendor):
    """A service of Azure that starts an operation for each picture; clients poll for its result."""

    polled = True
    order: ClassVar[str]
    """URL path to post a picture to."""
    results: ClassVar[str]
    """URL path of an operation, without its id."""
    api_version: ClassVar[str] = ""
    """The parameter ``api-version`` of every address; "" if there is none."""

    def __init__(self, engine: str, words_on: Read, keys: Collection[str] | None = None) -> None:
        super().__init__(engine, words_on, keys)
        self._operations: dict[str, tuple[Mapping[str, Any], float, Iterator[str]]] = {}
        """Result, time of the order, and statuses of the next polls, by id; kept until the emulator stops."""

    def read(self, request: Request) -> Response:
        """Return 202 with the result's address for a picture, and the operation's state for a poll."""
        self.check_signed(request)
        if self.api_version and request.parameters.get("api-version") != self.api_version:
            message = f"api-version is not {self.api_version}."
            return self.error(400, "InvalidArgument", message, "InvalidParameter")
        if (request.method, request.path) == ("POST", self.order):
            return self._ordered(request, {"analyzeResult": self.reading(request.body)})
        if request.method == "GET" and request.path.startswith(self.results):
            return self._looked_at(request.path.removeprefix(self.results))
        return self.failure("404")

    def polled_as(self, kind: str) -> Response:
        """Return the state of an operation that is running, has failed, or has an unknown status."""
        error = {"code": "InternalServerError", "message": "An unexpected error occurred."}
        return _state(POLLS[kind], {"error": error} if kind == "failed-poll" else {})

    def _ordered(self, request: Request, result: Mapping[str, Any]) -> Response:
        """Return 202 with the result's address, which ends in the operation's id."""
        number = str(uuid.uuid4())
        self._operations[number] = result, time.monotonic(), iter(STEPS)
        query = f"?api-version={self.api_version}" if self.api_version else ""
        location = f"http://{request.headers.get('host', '')}{self.results}{number}{query}"
        return Response(202, headers={"Operation-Location": location}, billed=1)

    def _looked_at(self, number: str) -> Response:
        """Return the state of an operation."""
        if number not in self._operations:
            return self.error(404, "NotFound", "The operation is unknown or has expired.")
        result, ordered_at, statuses = self._operations[number]
        status = next(statuses, "succeeded")
        if status == "succeeded" or time.monotonic() - ordered_at >= DONE_AFTER_S:
            return _state("succeeded", result)
        return _state(status, {})


class Azure(PolledVendor):
    """Azure Computer Vision, Read 3.2."""

    name = "azure"
    prefix = "/vision/"
    order, results = "/vision/v3.2/read/analyze", "/vision/v3.2/read/analyzeResults/"

    def found(self, words: Sequence[Word], picture: Picture) -> dict[str, Any]:
        """Return one page of lines of words; without words a page without lines."""
        style = {"name": "handwriting" if self.engine == "local" else "other", "confidence": STYLE_CONFIDENCE}
        found = _lines(words, "boundingBox", _flat_corners)
        styled = [{**line, "appearance": {"style": style}} for line in found]
        page = {"page": 1, **_upright(picture), "lines": styled}
        return {"version": "3.2.0", "modelVersion": self.model_version, "readResults": [page]}


class AzureAnalysis(AzureVendor):
    """Azure Image Analysis 4.0, feature "read": one synchronous request."""

    name = "azure-analysis"
    prefix = "/computervision/"
    formats = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF")  # the service also accepts ICO
    max_bytes = 20 * 1024 * 1024 - 1
    sides = (51, 15_999)

    def read(self, request: Request) -> Response:
        """Return the text of one picture."""
        self.check_signed(request)
        if (request.method, request.path) != ("POST", "/computervision/imageanalysis:analyze"):
            return self.failure("404")
        if request.parameters.get("api-version") not in API_VERSIONS:
            return self.error(400, "BadRequest", f"api-version is not one of {', '.join(API_VERSIONS)}.")
        if {name.strip().lower() for name in request.parameters.get("features", "").split(",")} != {"read"}:
            message = "This emulator reads text only: ask for the one feature 'read'."
            return self.error(400, "InvalidRequest", message, "NotSupportedVisualFeature")
        return Response.of_json(200, self.reading(request.body), billed=1)

    def found(self, words: Sequence[Word], picture: Picture) -> dict[str, Any]:
        """Return one block of lines of words; without words no block."""
        found = _lines(words, "boundingPolygon", polygon)
        metadata = {"width": picture.width, "height": picture.height}
        blocks = {"blocks": [{"lines": found}] if found else []}
        return {"modelVersion": self.model_version, "metadata": metadata, "readResult": blocks}


class AzureDocument(PolledVendor):
    """Azure Document Intelligence, model prebuilt-read."""

    name = "azure-document"
    prefix = "/documentintelligence/"
    variables: ClassVar[Mapping[str, str]] = {
        "DOCUMENTINTELLIGENCE_ENDPOINT": "{}",
        "DOCUMENTINTELLIGENCE_API_KEY": "test",
    }
    order, results = f"{MODELS}prebuilt-read:analyze", f"{MODELS}prebuilt-read/analyzeResults/"
    api_version = "2024-11-30"

    def found(self, words: Sequence[Word], picture: Picture) -> dict[str, Any]:
        """Return one page of words and lines, and whether the text is handwritten."""
        rows = lines(words)
        content = "\n".join(as_line(row).text for row in rows)
        spelled, found, offset = [], [], 0
        for row in rows:
            line = as_line(row)
            found.append({**_part(line), "spans": [{"offset": offset, "length": len(line.text)}]})
            for word in row:
                span = {"offset": offset, "length": len(word.text)}
                spelled.append({**_part(word), "confidence": round(word.confidence, 3), "span": span})
                offset += len(word.text) + 1  # the space or line end after the word
        whole = [{"offset": 0, "length": len(content)}]
        page = {
            "pageNumber": 1, **_upright(picture),
            "words": spelled, "lines": found, "spans": whole,
        }  # fmt: skip
        style = {"isHandwritten": True, "confidence": STYLE_CONFIDENCE, "spans": whole}
        return {
            "apiVersion": self.api_version, "modelId": self.model_version, "stringIndexType": "textElements",
            "content": content, "pages": [page],
            "paragraphs": [{"content": line["content"], "spans": line["spans"]} for line in found],
            "styles": [style] if content and self.engine == "local" else [],
        }  # fmt: skip


def _lines(words: Sequence[Word], around: str, form: Callable[[Box], Any]) -> list[dict[str, Any]]:
    """Return lines of words, each with its box in the field ``around``."""

    def part(word: Word, **more: Any) -> dict[str, Any]:
        return {around: form(word.box), "text": word.text, **more}

    return [
        part(as_line(row), words=[part(word, confidence=round(word.confidence, 3)) for word in row])
        for row in lines(words)
    ]


def _part(word: Word) -> dict[str, Any]:
    return {"content": word.text, "polygon": _flat_corners(word.box)}


def _upright(picture: Picture) -> dict[str, Any]:
    return {"angle": 0.0, "width": picture.width, "height": picture.height, "unit": "pixel"}


def _flat_corners(box: Box) -> list[int]:
    """Return the corners of a box as one list: x and y of each in turn."""
    return [value for corner in polygon(box) for value in corner.values()]


def _state(status: str, more: Mapping[str, Any]) -> Response:
    """Return the state of an operation, with its result or error."""
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    body = {"status": status, "createdDateTime": now, "lastUpdatedDateTime": now, **more}
    return Response.of_json(200, body)
