"""AWS Textract DetectDocumentText: AWS's own service for handwriting and print on documents.

Textract reports every text twice, as a LINE and as its WORDs; only the WORDs are candidates. Its confidence
of 0 to 100 is divided by 100. Whether a word is handwritten or printed (``TextType``) stands in ``raw``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from msgspec import UNSET, Struct, UnsetType

from digitrec.answer import Answer, Candidate
from digitrec.image import InputSpec
from digitrec.image.pixels import Size
from digitrec.providers.aws import REGION, AwsProvider, Geometry, Percent, box_on, service
from digitrec.providers.base import Price
from digitrec.providers.translate import Text, document, refuse


class Block(Struct, rename="pascal"):
    """A PAGE, a LINE, a WORD or a new kind; texts have a text and a confidence."""

    block_type: str
    text: Text | UnsetType = UNSET
    confidence: Percent | UnsetType = UNSET
    geometry: Geometry | None = None


class DetectDocumentTextResponse(Struct, rename="pascal"):
    """The body of an answer; without text its list is empty or holds a PAGE alone."""

    blocks: tuple[Block, ...]
    detect_document_text_model_version: str = ""


class AwsTextract(AwsProvider):
    """Read text with AWS Textract."""

    name = "aws-textract"
    operation = ("textract", "detect_document_text")
    holder = "Document"
    variables: ClassVar[Mapping[str, Sequence[str]]] = {
        "region": REGION, "endpoint": ("AWS_ENDPOINT_URL_TEXTRACT", "AWS_ENDPOINT_URL"),
    }  # fmt: skip
    service = service("AWS Textract", "textract:DetectDocumentText")
    wants = InputSpec(encoding="png", min_side=200, max_side=10_000, max_bytes=10_000_000, margin=0.1)
    price: Price | None = Price(
        0.0015, "second-hand (2022 to 2025) from aws.amazon.com/textract/pricing: $1.50 per 1,000; 2026-11"
    )
    rate = 5.0  # a careful guess: the default differs by region and account

    @staticmethod
    def parse(raw: Any, size: Size = (1, 1)) -> Answer:
        """Make an Answer of the body of a DetectDocumentText answer: any JSON value.

        Args:
            raw: the body.
            size: width and height of the image that was sent; boxes are in its pixels.

        Raises:
            BadAnswer: the value is not such a body.
        """
        response = document(raw, DetectDocumentTextResponse, AwsTextract.service)
        candidates = []
        for place, block in enumerate(response.blocks):
            if block.block_type == "WORD":
                if block.text is UNSET or block.confidence is UNSET:
                    said = f"Blocks[{place}]: a WORD without Text or Confidence"
                    refuse(said, raw, AwsTextract.service)
                box = box_on(block.geometry, size)
                candidates.append(Candidate(block.text, block.confidence / 100, box))
        if not candidates and any(block.block_type == "LINE" for block in response.blocks):
            refuse("Blocks: a LINE, and no WORD among them", raw, AwsTextract.service)
        version = response.detect_document_text_model_version or None
        return Answer(tuple(candidates), raw=raw, model_version=version)
