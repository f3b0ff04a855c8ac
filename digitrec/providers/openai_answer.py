"""A chat completion: what is used of it, and what that says."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from digitrec.answer import Answer, Candidate
from digitrec.errors import BadAnswer
from digitrec.providers.document import document, refuse
from digitrec.providers.translate import Problem, Service

LogChance = Annotated[float, Meta(le=1e-3)]
"""The natural logarithm of a chance; servers round."""
THOUGHTS_END = ("</think>", "[/THINK]")
"""Where a model ends what it thinks aloud before it answers."""
THOUGHTS_BEGIN = ("<think>", "[THINK]")
FENCED = re.compile(r"```\w*\s*\n(.*?)\n?\s*```", re.DOTALL)
"""An answer in Markdown, from a server that does not know schemas."""
LONGEST = 100_000
"""Characters of an answer, without thoughts; a longer text is not searched for JSON."""
NOT_A_DIGIT = -1
"""In place of a digit: the object has something else there."""
FLAT_OBJECT = re.compile(r"\{[^{}]*\}")
LONE_DIGIT = re.compile(r"(?<![\w.])\d(?![\w.]\w|\w)(?!\.\s)")
"""A digit that stands by itself in a text, and does not number a list."""


class TopLogprob(Struct):
    """A token that could have stood there."""

    token: str
    logprob: LogChance


class TokenLogprob(Struct):
    """A token of the answer, and those that could have stood in its place."""

    token: str
    top_logprobs: tuple[TopLogprob, ...] = ()


class Logprobs(Struct):
    """The answer as tokens; null where the server gives none."""

    content: tuple[TokenLogprob, ...] | None = None


class Part(Struct):
    """A part of an answer; of another kind than text, such as a thought, it has no text."""

    text: str | None = None


class Message(Struct):
    """What the model says."""

    content: str | tuple[Part, ...] | None = None
    refusal: str | None = None


class Choice(Struct):
    """One answer; one is asked for."""

    message: Message
    finish_reason: str | None = None
    logprobs: Logprobs | None = None


class ChatCompletion(Struct):
    """The body of an answer; of all but the choices some servers send nothing, or null."""

    choices: Annotated[tuple[Choice, ...], Meta(min_length=1)]
    model: str | None = None


def parse(raw: Any, service: Service) -> Answer:
    """What any JSON value says, read as a chat completion.

    Raises:
        BadAnswer: it is none; the model refused, was filtered or cut off; or it said something else than
            it was asked for. None of that is "no digit".
    """
    completion = document(raw, ChatCompletion, service)
    choice = completion.choices[0]
    text = _text(choice, raw, service)
    said = said_in(text)
    if said is None:
        refuse("choices[0].message.content: not the JSON that was asked for", raw, service)
    digit, reason = said
    if digit is None:
        return Answer(raw=raw, model_version=completion.model, reason=reason or "no digit")
    tokens = (choice.logprobs.content if choice.logprobs else None) or ()
    score = confidence(tokens, digit, text)
    return Answer((Candidate(str(digit), score),), raw=raw, model_version=completion.model)


def _text(choice: Choice, raw: Any, service: Service) -> str:
    """The answer's text, when the model gave one and ended it."""
    if choice.message.refusal or choice.finish_reason == "content_filter":
        todo = "ask another model, or send another image"
        raise service.error(Problem(BadAnswer, "the model refused, or was filtered", raw=raw, todo=todo))
    if choice.finish_reason == "length":
        todo = (
            "raise max_tokens under [parameters.openai] in the configuration, or ask a model that thinks less"
        )
        raise service.error(Problem(BadAnswer, "the answer was cut off", raw=raw, todo=todo))
    content = choice.message.content
    if content is None:
        refuse("choices[0].message.content: null, and no refusal", raw, service)
    return content if isinstance(content, str) else "".join(part.text or "" for part in content)


def said_in(text: str) -> tuple[int | None, str] | None:
    """The digit (None: there is none) and the reason in a model's answer; None where it is not clear.

    The JSON may stand in Markdown or in a sentence, have more keys than asked for, and hold the digit as a
    text or as a float. Two objects that disagree are not clear, nor is another digit beside the JSON.
    """
    for end in THOUGHTS_END:
        text = text.rpartition(end)[2]
    unfinished = any(begin in text for begin in THOUGHTS_BEGIN)
    if unfinished or len(text) > LONGEST:
        return None
    fenced = FENCED.findall(text)
    span = text[max(text.find("{"), 0) : text.rfind("}") + 1]
    for found in ([text], fenced, [span], FLAT_OBJECT.findall(text)):
        said = [one for one in map(_said, found) if one is not None]
        if said:
            beside = LONE_DIGIT.findall(_without(text, found))
            digits = {digit for digit, _ in said} | {int(digit) for digit in beside}
            return said[0] if len(digits) == 1 and NOT_A_DIGIT not in digits else None
    return None


def _said(text: str) -> tuple[int | None, str] | None:
    """The digit and the reason of one JSON object; None where it is not an object with a digit."""
    try:
        said = msgspec.json.decode(text)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return None
    if not isinstance(said, dict) or "digit" not in said:
        return None
    reason = said.get("reason")
    return _digit(said["digit"]), reason.strip() if isinstance(reason, str) else ""


def _digit(value: Any) -> int | None:
    """The digit 0..9, None for null, and `NOT_A_DIGIT` for anything else."""
    if value is None:
        return None
    if isinstance(value, str) and re.fullmatch(r"\s*[0-9]\s*", value):
        return int(value)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return int(value) if is_number and value in range(10) else NOT_A_DIGIT


def _without(text: str, parts: Sequence[str]) -> str:
    for part in parts:
        text = text.replace(part, " ")
    return text


def confidence(tokens: Sequence[TokenLogprob], digit: int, text: str) -> float | None:
    """The chance of the digit's token among those of all ten digits; None where no chances were given.

    Args:
        tokens: the answer's, in order.
        digit: which digit the answer gives.
        text: the answer; the tokens must spell it, or they are not about it.
    """
    place = _place_of(digit, text)
    if place is None or "".join(token.token for token in tokens) != text:
        return None
    at = 0
    for token in tokens:
        if at <= place < at + len(token.token):
            return _share(token.top_logprobs, digit)
        at += len(token.token)
    return None


def _place_of(digit: int, text: str) -> int | None:
    """Where the digit stands: after the last name "digit" in the text."""
    found = re.match(rf'.*"digit"\s*:\s*"?\s*(?={digit})', text, re.DOTALL)
    return None if found is None else found.end()


def _share(alternatives: Sequence[TopLogprob], digit: int) -> float | None:
    """Tokens may hold a space or a quote beside the digit; equal digits are added up."""
    mass = [0.0] * 10
    for alternative in alternatives:
        bare = alternative.token.strip(' \t\r\n"')
        if len(bare) == 1 and bare in "0123456789":
            mass[int(bare)] += math.exp(alternative.logprob)
    return mass[digit] / math.fsum(mass) if mass[digit] else None
