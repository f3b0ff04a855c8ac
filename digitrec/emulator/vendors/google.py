"""Google Cloud Vision, REST v1: ``POST /v1/images:annotate`` with both text features.

Answers have the JSON form of protobuf, which omits fields that are zero or empty.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, ClassVar

import msgspec

from digitrec.emulator.reading import Picture, Word, as_line, lines, polygon
from digitrec.emulator.vendors.base import Request, Response, Vendor
from digitrec.errors import ImageError
from digitrec.errors.schemas import built
from digitrec.image import Box

ADDRESS = re.compile(r"/v1/(projects/[^/]+/(locations/[^/]+/)?)?images:annotate")
MAX_REQUEST_BYTES = 10 * 1024 * 1024
"""Google's limit for a request's JSON; base64 makes that about 7.8 MB of picture."""


class _Image(msgspec.Struct):
    content: bytes | None = None


class _Feature(msgspec.Struct):
    type: int | str | None = None


class _Params(msgspec.Struct, rename="camel"):
    enable_text_detection_confidence_score: bool = False


class _Context(msgspec.Struct, rename="camel"):
    text_detection_params: _Params | None = None


class _Entry(msgspec.Struct, rename="camel"):
    image: _Image
    features: list[_Feature]
    image_context: _Context | None = None


class _Batch(msgspec.Struct):
    requests: Annotated[list[_Entry], msgspec.Meta(max_length=16)]


class Google(Vendor):
    """Google Cloud Vision."""

    name = "google"
    variables: ClassVar[Mapping[str, str]] = {
        "DIGITREC_GOOGLE_ENDPOINT": "{}", "GOOGLE_API_KEY": "test",
    }  # fmt: skip

    @staticmethod
    def error(
        status: int, name: str, message: str, reason: str = "", metadata: Mapping[str, str] | None = None
    ) -> Response:
        """Return an error of the whole request, a google.rpc.Status as JSON.

        Args:
            status: the HTTP status.
            name: name of the google.rpc code.
            message: the message.
            reason: the machine-readable reason; "": Google gives none.
            metadata: what Google adds to the reason.
        """
        body: dict[str, Any] = {"code": status, "message": message, "status": name}
        if reason:
            body["details"] = [{
                "@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason,
                "domain": "googleapis.com",
                "metadata": {"service": "vision.googleapis.com", **(metadata or {})},
            }]  # fmt: skip
        return Response.of_json(status, {"error": body})

    def read(self, request: Request) -> Response:
        """Annotate up to 16 images; a bad image fails only in its own place, with status 200."""
        if not ADDRESS.fullmatch(request.path) or request.method != "POST":
            return self.failure("404")
        key = request.headers.get("x-goog-api-key") or request.parameters.get("key", "")
        if key or self._keys is not None:  # Google is also emulated without keys
            self.check_key(key)
        if len(request.body) > MAX_REQUEST_BYTES:
            message = f"Request payload size exceeds the limit: {MAX_REQUEST_BYTES} bytes."
            return self.error(400, "INVALID_ARGUMENT", message)
        try:
            entries = msgspec.json.decode(request.body, type=built(_Batch)).requests
        except (msgspec.MsgspecError, ValueError, RecursionError):
            return self.error(400, "INVALID_ARGUMENT", "The request must be a batch of up to 16 images.")
        answers = [self._annotate(entry) for entry in entries]
        pairs = zip(entries, answers, strict=True)
        billed = sum(len(entry.features) for entry, answer in pairs if "error" not in answer)
        return Response.of_json(200, {"responses": answers}, billed=billed)

    def _annotate(self, entry: _Entry) -> dict[str, Any]:
        """Return the answer for one image."""
        kinds = {feature.type for feature in entry.features}
        is_document = not kinds.isdisjoint({11, "DOCUMENT_TEXT_DETECTION"})
        if not kinds or kinds - {5, 11, "TEXT_DETECTION", "DOCUMENT_TEXT_DETECTION"}:
            return _error(12, "This emulator reads text only; ask for a text feature.")
        if entry.image.content is None:
            return _error(7, "We can not access the URL currently.")
        try:
            picture = Picture.decode(entry.image.content)
        except ImageError:
            return _error(3, "Bad image data.")
        params = entry.image_context.text_detection_params if entry.image_context else None
        scored = is_document or (params is not None and params.enable_text_detection_confidence_score)
        words = self.words_on(picture)
        return {**_annotation(words, picture, scored), "context": {"uri": self.model_version}}


def _error(code: int, message: str) -> dict[str, Any]:
    """Return the error of one image: a google.rpc code (3 is a bad argument) and a message."""
    return {"error": {"code": code, "message": message}}


def _annotation(words: Sequence[Word], picture: Picture, scored: bool) -> dict[str, Any]:
    """Return the words in both of Google's forms: a flat list, and a page of one block; {} for no words."""
    if not words:
        return {}
    rows = lines(words)
    text = "\n".join(as_line(row).text for row in rows)
    mean = sum(word.confidence for word in words) / len(words)
    around = _polygon(as_line(words).box)
    common = {"boundingBox": around, **_confidence(mean, scored)}
    spelled = [_word(word, scored, last=word is row[-1]) for row in rows for word in row]
    block = {**common, "paragraphs": [{**common, "words": spelled}], "blockType": "TEXT"}
    size = {"width": picture.width, "height": picture.height}
    page = {**size, "blocks": [block], **_confidence(mean, scored)}
    whole = {"description": text, "boundingPoly": around}
    flat = [{"description": word.text, "boundingPoly": _polygon(word.box)} for word in words]
    return {"textAnnotations": [whole, *flat], "fullTextAnnotation": {"pages": [page], "text": text}}


def _word(word: Word, scored: bool, *, last: bool) -> dict[str, Any]:
    """Return a word of the page, split into symbols of equal width; the last one has the break after it."""
    left, top, right, bottom = word.box
    step = (right - left) / len(word.text)
    confidence = _confidence(word.confidence, scored)
    symbols: list[dict[str, Any]] = []
    for at, char in enumerate(word.text):
        box = _polygon((left + at * step, top, left + (at + 1) * step, bottom))
        symbols.append({"boundingBox": box, "text": char, **confidence})
    symbols[-1]["property"] = {"detectedBreak": {"type": "LINE_BREAK" if last else "SPACE"}}
    return {"boundingBox": _polygon(word.box), "symbols": symbols, **confidence}


def _confidence(confidence: float, scored: bool) -> dict[str, float]:
    return {"confidence": confidence} if scored and confidence else {}


def _polygon(box: Box) -> dict[str, list[dict[str, int]]]:
    return {"vertices": [{name: value for name, value in corner.items() if value} for corner in polygon(box)]}
