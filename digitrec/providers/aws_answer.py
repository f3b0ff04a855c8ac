"""AWS Rekognition's answer to DetectText: what is used of it, and what that says."""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from digitrec.answer import Answer, Candidate
from digitrec.providers.document import Text, document, refuse
from digitrec.providers.translate import Service

Percent = Annotated[float, Meta(ge=0, le=100)]
"""A confidence as Rekognition has it."""


class TextDetection(Struct, rename="pascal"):
    """A text, as a LINE or as one of its WORDs."""

    detected_text: Text
    type: str
    confidence: Percent


class DetectTextResponse(Struct, rename="pascal"):
    """The body of an answer; its list is there, and empty, where there is no text."""

    text_detections: tuple[TextDetection, ...]
    text_model_version: str | UnsetType = UNSET


def parse(raw: Any, service: Service) -> Answer:
    """What any JSON value says, read as a DetectText answer.

    Raises:
        BadAnswer: it is none. (boto3 lets much through: an HTML body becomes ``{}``.)
    """
    response = document(raw, DetectTextResponse, service)
    words = [found for found in response.text_detections if found.type == "WORD"]
    if response.text_detections and not words:
        refuse("TextDetections: texts, and no WORD among them", raw, service)
    version = None if response.text_model_version is UNSET else response.text_model_version
    candidates = (Candidate(word.detected_text, word.confidence / 100) for word in words)
    return Answer(tuple(candidates), raw=raw, model_version=version)
