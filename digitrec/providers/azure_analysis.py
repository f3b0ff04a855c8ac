"""Azure Image Analysis 4.0: one synchronous call.

Azure retires it on 25 September 2028 and points to Document Intelligence.

Each word is a candidate; its confidence is from 0 to 1.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from digitrec.answer import Answer
from digitrec.image import InputSpec
from digitrec.providers.azure import AzureProvider, Line, candidates_of, service
from digitrec.providers.translate import document

SERVICE = service("Azure Image Analysis")


class Block(Struct):
    """A part of the picture."""

    lines: tuple[Line, ...]


class ReadResult(Struct):
    """The text; without text its list is empty."""

    blocks: tuple[Block, ...]


class ImageAnalysisResult(Struct, rename="camel"):
    """The findings in a picture; digitrec asks for Read alone."""

    read_result: ReadResult
    model_version: str = ""


def parse(raw: Any) -> Answer:
    """Make an Answer of an ImageAnalysisResult (2023-10-01): any JSON value.

    Raises:
        BadAnswer: the value is not such a result.
    """
    result = document(raw, ImageAnalysisResult, SERVICE)
    lines = [line for block in result.read_result.blocks for line in block.lines]
    return Answer(candidates_of(lines, raw, SERVICE), raw=raw, model_version=result.model_version or None)


class AzureAnalysis(AzureProvider):
    """Read text with Azure Image Analysis 4.0."""

    name = "azure-analysis"
    notice = "Microsoft ends it on 2028-09-25, and points to Document Intelligence (azure-document)"
    path = "/computervision/imageanalysis:analyze?api-version=2023-10-01&features=read"
    parse = staticmethod(parse)
    service = SERVICE
    wants = InputSpec(encoding="png", min_side=200, max_side=10_000, max_bytes=20_000_000, margin=0.1)
    rate = 20.0  # the lower of the two figures in Azure's documentation
