"""Azure Computer Vision Read 3.2, through azure-cognitiveservices-vision-computervision.

The SDK gets no more updates; the service has no published end.

Each word is a candidate; its confidence is from 0 to 1.
"""

from __future__ import annotations

import io
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from digitrec.answer import Answer, Candidate
from digitrec.image import InputSpec
from digitrec.providers.azure_resource import Corners, Operation, PolledProvider, box_of, result_of, service
from digitrec.providers.document import Score, Text, refuse
from digitrec.providers.wire import Wire
from digitrec.providers.wire.exchange import Reply

SERVICE = service("Azure Read")


class Word(Struct, rename="camel"):
    """A word; Azure always gives text and confidence."""

    text: Text
    confidence: Score
    bounding_box: Corners | UnsetType = UNSET


class Line(Struct):
    """A line, as a text and as its words."""

    words: tuple[Word, ...]
    text: str = ""


class ReadResult(Struct):
    """A page; a picture is one page."""

    lines: tuple[Line, ...]


class AnalyzeResult(Struct, rename="camel"):
    """The result of a Read operation."""

    read_results: tuple[ReadResult, ...]
    model_version: str = ""


def parse(raw: Any) -> Answer:
    """Make an Answer of a finished Read operation (GET analyzeResults, 3.2): any JSON value.

    Raises:
        Rejected: the operation failed.
        BadAnswer: the value is not such an operation.
    """
    result = result_of(raw, Operation[AnalyzeResult], SERVICE)
    lines = [line for page in result.read_results for line in page.lines]
    if any(line.text.strip() and not line.words for line in lines):
        refuse("analyzeResult.readResults: a line with a text and without words", raw, SERVICE)
    words = (word for line in lines for word in line.words)
    found = (Candidate(word.text, word.confidence, box_of(word.bounding_box)) for word in words)
    return Answer(tuple(found), raw=raw, model_version=result.model_version or None)


class Azure(PolledProvider):
    """Read text with Azure Computer Vision's Read operation."""

    name = "azure"
    service = SERVICE
    parse = staticmethod(parse)
    wants = InputSpec(encoding="png", min_side=200, max_side=10_000, max_bytes=4_000_000, margin=0.1)
    rate = 10.0  # 20 to 30 requests a second are allowed, and an image takes at least two
    package = "azure.cognitiveservices.vision.computervision"

    def __init__(self, **settings: Any) -> None:
        """Open the SDK's client; nothing is sent yet. For ``settings`` see `PolledProvider`."""
        super().__init__(**settings)
        self._sdk = self._wire.prepare(lambda: _client(self._wire))

    def _post(self, data: bytes, timeout: float) -> Reply:
        def post() -> object:
            return self._sdk.read_in_stream(io.BytesIO(data), raw=True)

        return self._wire.call(post, timeout=timeout, expected=202)

    def _look(self, token: str, timeout: float) -> Reply:
        return self._wire.call(lambda: self._sdk.get_read_result(token, raw=True), timeout=timeout)

    def close(self) -> None:
        """Close the connections."""
        self._sdk.close()
        super().close()


def _client(wire: Wire) -> Any:
    """Return the SDK's client, whose requests the wire signs and sends."""
    from azure.cognitiveservices.vision.computervision import ComputerVisionClient
    from msrest.authentication import Authentication

    class ThroughWire(Authentication):
        """Credentials of the SDK; they get its session before each request."""

        def signed_session(self, session: Any = None) -> Any:
            session = super().signed_session(session)
            session.auth = wire.sign
            for scheme in ("https://", "http://"):
                session.mount(scheme, wire.questions)
            return session

    return ComputerVisionClient(wire.endpoint, ThroughWire())  # type: ignore[no-untyped-call]
