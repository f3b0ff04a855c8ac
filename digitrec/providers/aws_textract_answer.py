"""AWS Textract's answer to DetectDocumentText: what is used of it, and what that says."""

from __future__ import annotations

from typing import Any

from msgspec import UNSET, Struct, UnsetType

from digitrec.answer import Answer, Candidate
from digitrec.providers.aws_answer import Percent
from digitrec.providers.document import Text, document, refuse
from digitrec.providers.translate import Service


class Block(Struct, rename="pascal"):
    """A PAGE, a LINE, a WORD, or a kind that is new; texts have a text and a confidence."""

    block_type: str
    text: Text | UnsetType = UNSET
    confidence: Percent | UnsetType = UNSET


class DetectDocumentTextResponse(Struct, rename="pascal"):
    """The body of an answer; its list is there, with a PAGE alone or empty, where there is no text."""

    blocks: tuple[Block, ...]
    detect_document_text_model_version: str | UnsetType = UNSET


def parse(raw: Any, service: Service) -> Answer:
    """What any JSON value says, read as a DetectDocumentText answer.

    Raises:
        BadAnswer: it is none. (boto3 lets much through: half a document becomes ``{}``.)
    """
    response = document(raw, DetectDocumentTextResponse, service)
    candidates = []
    for place, block in enumerate(response.blocks):
        if block.block_type == "WORD":
            if block.text is UNSET or block.confidence is UNSET:
                refuse(f"Blocks[{place}]: a WORD without Text or Confidence", raw, service)
            candidates.append(Candidate(block.text, block.confidence / 100))
    if not candidates and any(block.block_type == "LINE" for block in response.blocks):
        refuse("Blocks: a LINE, and no WORD among them", raw, service)
    version = response.detect_document_text_model_version
    return Answer(tuple(candidates), raw=raw, model_version=None if version is UNSET else version)
