"""Google's AnnotateImageResponse: what is used of it, and what that says.

Google leaves out what is 0 or empty (proto3's JSON), so a document without text is ``{}``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any

from msgspec import UNSET, Meta, Struct, UnsetType

from digitrec.answer import Answer, Candidate
from digitrec.errors import DigitrecError, Rejected
from digitrec.providers.document import Score, Text, box_around, document, refuse
from digitrec.providers.translate import Problem, Service


class Vertex(Struct):
    """A corner in pixels; a coordinate of 0 is left out."""

    x: float = 0
    y: float = 0


class BoundingPoly(Struct, frozen=True):
    """The corners of a box."""

    vertices: tuple[Vertex, ...] = ()


class Scored(Struct):
    """Anything with a confidence; one of exactly 0 is left out, as is one that was not asked for."""

    confidence: Score | UnsetType = UNSET


class Symbol(Scored, kw_only=True):
    """A character."""

    text: Text


class Word(Scored, kw_only=True, rename="camel"):
    """Characters without space between."""

    symbols: Annotated[tuple[Symbol, ...], Meta(min_length=1)]
    bounding_box: BoundingPoly = BoundingPoly()


class Paragraph(Scored):
    """A part of a block."""

    words: tuple[Word, ...] = ()


class Block(Scored):
    """A part of a page."""

    paragraphs: tuple[Paragraph, ...] = ()


class Page(Scored):
    """A picture is one."""

    blocks: tuple[Block, ...] = ()


class TextAnnotation(Struct, frozen=True):
    """The text, and once more as pages."""

    text: str = ""
    pages: tuple[Page, ...] = ()


class EntityAnnotation(Struct):
    """A text: the whole one, or one of its words."""

    description: Text


class RpcStatus(Struct, frozen=True):
    """google.rpc.Status; its code 0 is no error."""

    code: Annotated[int, Meta(ge=-(2**31), lt=2**31)] = 0
    message: str = ""


class AnnotateImageResponse(Struct, rename="camel"):
    """What is said about one image."""

    full_text_annotation: TextAnnotation = TextAnnotation()
    text_annotations: tuple[EntityAnnotation, ...] = ()
    error: RpcStatus = RpcStatus()


def parse(raw: Any, service: Service, rpc: Mapping[int, type[DigitrecError]]) -> Answer:
    """What any JSON value says, read as an AnnotateImageResponse.

    Annotations beside an error are used: Google guarantees that they are right even then.

    Raises:
        ProviderError: there is an error and no text: of the class in ``rpc`` for its code, else Rejected.
        BadAnswer: it is no AnnotateImageResponse.
    """
    response = document(raw, AnnotateImageResponse, service)
    full, entities = response.full_text_annotation, response.text_annotations
    text = full.text or "".join(entity.description for entity in entities[:1])
    found = [_candidate(word) for word in _words(full)]
    if not found:  # the first entity is the whole text, the others are its words
        found = [Candidate(entity.description) for entity in entities[1:]]
    if response.error.code and not found:
        code, said = response.error.code, response.error.message
        raise service.error(Problem(rpc.get(code, Rejected), said, code, raw=raw["error"]))
    if text.strip() and not found:
        refuse(_WITHOUT_WORDS, raw, service)
    return Answer(tuple(found), raw=raw)


_WITHOUT_WORDS = "a text without words: no 'pages' in fullTextAnnotation, or one entry in textAnnotations"


def _words(full: TextAnnotation) -> Iterator[Word]:
    for page in full.pages:
        for block in page.blocks:
            for paragraph in block.paragraphs:
                yield from paragraph.words


def _candidate(word: Word) -> Candidate:
    """A word with the lowest confidence among its characters, else its own."""
    scores = [symbol.confidence for symbol in word.symbols if symbol.confidence is not UNSET]
    own = None if word.confidence is UNSET else word.confidence
    box = box_around([(corner.x, corner.y) for corner in word.bounding_box.vertices])
    return Candidate("".join(symbol.text for symbol in word.symbols), min(scores, default=own), box)
