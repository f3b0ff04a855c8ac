"""Azure Document Intelligence, model prebuilt-read, API version 2024-11-30."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from digitrec.emulator.picture import Picture, Word, bounding_box, lines
from digitrec.emulator.vendors.azure_operation import PolledVendor
from digitrec.emulator.vendors.azure_resource import (
    FAILURES,
    bad_image,
    bad_parameter,
    error,
    flat_corners,
)
from digitrec.emulator.vendors.base import Refused, Request, Response

API_VERSION = "2024-11-30"
MODEL = "prebuilt-read"
POST_ADDRESS = re.compile(r"/documentintelligence/documentModels/(?P<model>[A-Za-z0-9._~-]+):analyze")
RESULTS = f"/documentintelligence/documentModels/{MODEL}/analyzeResults/"
POLL_ADDRESS = re.compile(re.escape(RESULTS) + r"(?P<id>[0-9a-f-]{36})")
STYLE_CONFIDENCE = 0.9
"""How sure a style is; no engine says, so it is a constant."""


class AzureDocument(PolledVendor):
    """Azure Document Intelligence."""

    name = "azure-document"
    prefix = "/documentintelligence/"
    kept_s = 24 * 3600.0
    wrong_size = "InvalidContentDimensions"

    @classmethod
    def environment(cls, endpoint: str) -> dict[str, str]:
        """As Microsoft's samples of the SDK read them."""
        return {"DOCUMENTINTELLIGENCE_ENDPOINT": endpoint, "DOCUMENTINTELLIGENCE_API_KEY": "test"}

    def read(self, request: Request) -> Response:
        """202 with the address of the result for a document; the state of an analysis for a poll."""
        self.check_key(request)
        _check_version(request.parameters)
        if request.method == "POST" and (model := POST_ADDRESS.fullmatch(request.path)):
            return self._begin(request, model["model"])
        if result := POLL_ADDRESS.fullmatch(request.path):
            answered = {"GET": self.looked_at, "DELETE": self.forgotten}.get(request.method)
            if answered is not None:
                return answered(result["id"])
        return FAILURES["404"]()

    def _begin(self, request: Request, model: str) -> Response:
        if model != MODEL:
            message = f"The requested model was not found: this emulator has {MODEL}."
            return error(404, "NotFound", "Resource not found.", ("ModelNotFound", message))
        picture = self.picture(_unwrapped(request))
        result = self._result(self.reader.read(picture), picture)
        return self.ordered(request, RESULTS, {"analyzeResult": result}, f"?api-version={API_VERSION}")

    def _result(self, words: Sequence[Word], picture: Picture) -> dict[str, Any]:
        """One page of words and lines, and whether the text is handwritten."""
        rows = lines(words)
        content = "\n".join(" ".join(word.text for word in row) for row in rows)
        spelled = [{**_word(word), "confidence": round(word.confidence, 3)} for row in rows for word in row]
        offset = 0
        for word in spelled:
            offset = content.index(word["content"], offset)
            word["span"] = {"offset": offset, "length": len(word["content"])}
            offset += len(word["content"])
        whole = [{"offset": 0, "length": len(content)}]
        page = {
            "pageNumber": 1, "angle": 0.0, "width": picture.width, "height": picture.height, "unit": "pixel",
            "words": spelled, "lines": [_line(row) for row in rows], "spans": whole,
        }  # fmt: skip
        style = {"isHandwritten": True, "confidence": STYLE_CONFIDENCE, "spans": whole}
        return {
            "apiVersion": API_VERSION, "modelId": self.model_version, "stringIndexType": "textElements",
            "content": content, "pages": [page], "paragraphs": [],
            "styles": [style] if content and self.reader.name == "local" else [],
        }  # fmt: skip


def _check_version(parameters: Mapping[str, str]) -> None:
    if parameters.get("api-version") != API_VERSION:
        raise bad_parameter("InvalidParameter", f"The api-version is not {API_VERSION}.")


def _unwrapped(request: Request) -> Request:
    """A document that came as base64 in JSON, as if it had come as it is."""
    if request.media_type != "application/json":
        return request
    try:
        content = base64.b64decode(json.loads(request.body)["base64Source"], validate=True)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Refused(bad_image("InvalidContent", "The file is corrupted or of no supported form.")) from None
    return replace(request, body=content, headers={**request.headers, "content-type": "image/png"})


def _word(word: Word) -> dict[str, Any]:
    return {"content": word.text, "polygon": flat_corners(word.box)}


def _line(row: Sequence[Word]) -> dict[str, Any]:
    return {"content": " ".join(word.text for word in row), "polygon": flat_corners(bounding_box(row))}
