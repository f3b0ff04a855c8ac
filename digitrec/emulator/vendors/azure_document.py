"""Azure Document Intelligence, model prebuilt-read, API version 2024-11-30."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from digitrec.emulator.picture import Picture, Word, bounding_box, lines
from digitrec.emulator.vendors.azure import STYLE_CONFIDENCE, AzureVendor, PolledVendor, flat_corners
from digitrec.emulator.vendors.base import Failures, Request, Response


class AzureDocument(PolledVendor):
    """Azure Document Intelligence."""

    name = "azure-document"
    prefix = "/documentintelligence/"
    variables: ClassVar[Mapping[str, str]] = {
        "DOCUMENTINTELLIGENCE_ENDPOINT": "{}",
        "DOCUMENTINTELLIGENCE_API_KEY": "test",
    }
    failures: ClassVar[Failures] = {
        **AzureVendor.failures,
        "no image": (400, "InvalidRequest", "The file is corrupted or not supported.", "InvalidContent"),
        "wrong size": (*AzureVendor.failures["wrong size"][:3], "InvalidContentDimensions"),
    }
    version = "2024-11-30"
    models = "/documentintelligence/documentModels/"

    def read(self, request: Request) -> Response:
        """Return 202 with the address of the result for a document, the state of an analysis for a poll."""
        self.check_key(request)
        if request.parameters.get("api-version") != self.version:
            return self.error(
                400, "InvalidArgument", f"api-version is not {self.version}.", "InvalidParameter"
            )
        results = f"{self.models}prebuilt-read/analyzeResults/"
        if (request.method, request.path) == ("POST", f"{self.models}prebuilt-read:analyze"):
            picture = self.sent_picture(request)
            result = {"analyzeResult": self._result(self.reader.read(picture), picture)}
            return self.ordered(request, results, result, f"?api-version={self.version}")
        if request.method == "GET" and request.path.startswith(results):
            return self.looked_at(request.path.removeprefix(results))
        if re.fullmatch(rf"{self.models}[^/]+:analyze", request.path):
            return self.error(404, "NotFound", "This emulator has the model prebuilt-read.", "ModelNotFound")
        return self.failure("404")

    def _result(self, words: Sequence[Word], picture: Picture) -> dict[str, Any]:
        """Return one page of words and lines, and whether the text is handwritten."""
        rows = lines(words)
        content = "\n".join(" ".join(word.text for word in row) for row in rows)
        spelled, offset = [], 0
        for word in (word for row in rows for word in row):
            span = {"offset": offset, "length": len(word.text)}
            spelled.append({**_part([word]), "confidence": round(word.confidence, 3), "span": span})
            offset += len(word.text) + 1  # the space or line end after it
        whole = [{"offset": 0, "length": len(content)}]
        page = {
            "pageNumber": 1, "angle": 0.0, "width": picture.width, "height": picture.height, "unit": "pixel",
            "words": spelled, "lines": [_part(row) for row in rows], "spans": whole,
        }  # fmt: skip
        style = {"isHandwritten": True, "confidence": STYLE_CONFIDENCE, "spans": whole}
        return {
            "apiVersion": self.version, "modelId": self.model_version, "stringIndexType": "textElements",
            "content": content, "pages": [page], "paragraphs": [],
            "styles": [style] if content and self.engine == "local" else [],
        }  # fmt: skip


def _part(words: Sequence[Word]) -> dict[str, Any]:
    return {"content": " ".join(word.text for word in words), "polygon": flat_corners(bounding_box(words))}
