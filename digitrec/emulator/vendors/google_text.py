"""Google's text annotations, in the JSON form of protobuf: what is zero or empty is left out.

The levels and their fields are those of ``TextAnnotation`` in Google's reference. Where a language stands,
and that a break stands in the last symbol of a word, is as in Google's own sample answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from digitrec.emulator.picture import Box, Picture, Word, bounding_box, lines

UNDETERMINED = "und"
"""The language (BCP 47) of a text without letters."""


def language_of(words: Sequence[Word]) -> str:
    """The language of a text: "en" where there are letters, else `UNDETERMINED`; no engine tells more."""
    return "en" if any(char.isalpha() for word in words for char in word.text) else UNDETERMINED


def annotation(words: Sequence[Word], picture: Picture, *, scored: bool, language: str) -> dict[str, Any]:
    """The words in both of Google's forms: a flat list, and a page of blocks; {} for no words.

    Args:
        words: what was read, in reading order.
        picture: the picture they stand on.
        scored: whether confidences are given.
        language: the language of the text, BCP 47.
    """
    if not words:
        return {}
    rows = lines(words)
    text = "\n".join(" ".join(word.text for word in row) for row in rows)
    confidence = _confidence(sum(word.confidence for word in words) / len(words), scored)
    detected = _language(language, 1.0 if scored else 0.0)
    around = _polygon(bounding_box(words))
    spelled = [_word(word, scored, language, last=word is row[-1]) for row in rows for word in row]
    paragraph = {"property": detected, "boundingBox": around, "words": spelled, **confidence}
    block = {
        "property": detected,
        "boundingBox": around,
        "paragraphs": [paragraph],
        "blockType": "TEXT",
        **confidence,
    }
    page = {
        "property": detected,
        "width": picture.width,
        "height": picture.height,
        "blocks": [block],
        **confidence,
    }
    whole = {"locale": language, "description": text, "boundingPoly": around}
    flat = [{"description": word.text, "boundingPoly": _polygon(word.box)} for word in words]
    return {"textAnnotations": [whole, *flat], "fullTextAnnotation": {"pages": [page], "text": text}}


def _word(word: Word, scored: bool, language: str, *, last: bool) -> dict[str, Any]:
    """A word of the page, split into symbols of equal width."""
    left, top, right, bottom = word.box
    step = (right - left) / len(word.text)
    confidence = _confidence(word.confidence, scored)
    symbols: list[dict[str, Any]] = [
        {
            "property": _language(language, 0.0),
            "boundingBox": _polygon((left + i * step, top, left + (i + 1) * step, bottom)),
            "text": char,
            **confidence,
        }
        for i, char in enumerate(word.text)
    ]
    symbols[-1]["property"]["detectedBreak"] = {"type": "LINE_BREAK" if last else "SPACE"}
    detected = _language(language, 1.0 if scored else 0.0)
    return {"property": detected, "boundingBox": _polygon(word.box), "symbols": symbols, **confidence}


def _confidence(confidence: float, scored: bool) -> dict[str, float]:
    return {"confidence": confidence} if scored and confidence else {}


def _language(language: str, confidence: float) -> dict[str, Any]:
    """The property that names a language; Google is sure of it above the symbols, and says nothing there."""
    return {"detectedLanguages": [{"languageCode": language, **_confidence(confidence, True)}]}


def _polygon(box: Box) -> dict[str, list[dict[str, int]]]:
    left, top, right, bottom = (round(value) for value in box)
    corners = ((left, top), (right, top), (right, bottom), (left, bottom))
    return {"vertices": [{name: value for name, value in (("x", x), ("y", y)) if value} for x, y in corners]}
