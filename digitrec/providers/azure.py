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
from digitrec.providers.azure_identity import Identity, authentication
from digitrec.providers.azure_resource import Corners, Operation, PolledProvider, box_of, result_of, service
from digitrec.providers.base import not_installed
from digitrec.providers.document import Score, Text, refuse
from digitrec.providers.wire import carrier

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
    model_version: str | UnsetType = UNSET


def parse(raw: Any) -> Answer:
    """Make an Answer of a finished Read operation (GET analyzeResults, 3.2): any JSON value.

    Raises:
        Rejected: the operation failed.
        BadAnswer: the value is not such an operation. (The SDK lets much through.)
    """
    result = result_of(raw, Operation[AnalyzeResult], SERVICE)
    lines = [line for page in result.read_results for line in page.lines]
    if any(line.text.strip() and not line.words for line in lines):
        refuse("analyzeResult.readResults: a line with a text and without words", raw, SERVICE)
    version = None if result.model_version is UNSET else result.model_version
    words = (word for line in lines for word in line.words)
    found = (Candidate(word.text, word.confidence, box_of(word.bounding_box)) for word in words)
    return Answer(tuple(found), raw=raw, model_version=version)


class Azure(PolledProvider):
    """Read text with Azure Computer Vision's Read operation."""

    name = "azure"
    package = "azure.cognitiveservices.vision.computervision"
    service = SERVICE
    parse = staticmethod(parse)
    wants = InputSpec(encoding="png", min_side=200, max_side=10_000, max_bytes=4_000_000, margin=0.1)
    rate = 10.0  # 20 to 30 requests a second are allowed, and an image takes at least two

    @staticmethod
    def _open(endpoint: str, who: str | Identity) -> Any:
        try:
            from azure.cognitiveservices.vision.computervision import ComputerVisionClient
            from msrest.authentication import CognitiveServicesCredentials
        except ImportError as error:
            raise not_installed("Azure Computer Vision", "azure") from error
        if isinstance(who, str):
            credentials: Any = CognitiveServicesCredentials(who)
        else:
            credentials = authentication(who)
        client = ComputerVisionClient(endpoint, credentials)  # type: ignore[no-untyped-call]
        adapter = carrier.questions()

        def mounted(session: Any, *_: Any, **__: Any) -> None:
            """Mount the carrier before each request; each thread has a session of its own."""
            carrier.mount(session, adapter)

        config: Any = client.config
        config.session_configuration_callback = mounted
        return client

    def _post(self, data: bytes, timeout: float) -> Any:
        return self._client.read_in_stream(io.BytesIO(data), raw=True, timeout=timeout)

    def _look(self, token: str, timeout: float) -> Any:
        return self._client.get_read_result(token, raw=True, timeout=timeout)
