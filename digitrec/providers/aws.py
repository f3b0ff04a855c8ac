"""AWS Rekognition DetectText.

Rekognition reports every text twice, as a LINE and as its WORDs; only the WORDs are candidates. Its
confidence of 0 to 100 is divided by 100.
"""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from digitrec.answer import Answer, Candidate
from digitrec.image import InputSpec
from digitrec.providers.aws_service import AwsProvider, Percent, service
from digitrec.providers.base import Price
from digitrec.providers.document import Text, document, refuse

SERVICE = service("AWS Rekognition", "rekognition:DetectText")


class TextDetection(Struct, rename="pascal"):
    """A text, as a LINE or as one of its WORDs."""

    detected_text: Text
    type: str
    confidence: Percent


class DetectTextResponse(Struct, rename="pascal"):
    """The body of an answer; without text its list is empty."""

    text_detections: tuple[TextDetection, ...]
    text_model_version: str = ""


def parse(raw: Any) -> Answer:
    """Make an Answer of the body of a DetectText answer: any JSON value.

    Raises:
        BadAnswer: the value is not such a body.
    """
    response = document(raw, DetectTextResponse, SERVICE)
    words = [found for found in response.text_detections if found.type == "WORD"]
    if response.text_detections and not words:
        refuse("TextDetections: texts, and no WORD among them", raw, SERVICE)
    candidates = (Candidate(word.detected_text, word.confidence / 100) for word in words)
    return Answer(tuple(candidates), raw=raw, model_version=response.text_model_version or None)


class Aws(AwsProvider):
    """Read text with AWS Rekognition."""

    name = "aws"
    sdk_name = "rekognition"
    operation = "DetectText"
    holder = "Image"
    service = SERVICE
    parse = staticmethod(parse)
    wants = InputSpec(encoding="png", min_side=200, max_side=4096, max_bytes=5_242_880, margin=0.1)
    price: Price | None = Price(
        0.001, "second-hand copy of aws.amazon.com/rekognition/pricing: $1.00 per 1,000; 2026-11"
    )
    rate = 5.0  # the lowest of the regions' defaults that AWS has published
