"""A chat completion: what is used of it, and what that says."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from digitrec.answer import Answer, Candidate
from digitrec.errors import BadAnswer
from digitrec.providers.document import document, refuse
from digitrec.wire.translate import Problem, Service

Count = Annotated[int, Meta(ge=0, le=1_000_000_000)]
LogChance = Annotated[float, Meta(le=1e-3)]
"""The natural logarithm of a chance; servers round."""
THOUGHTS = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)
"""What some models think aloud before they answer."""
FENCED = re.compile(r"\A\s*```(?:json)?\s*\n(.*?)\n?\s*```\s*\Z", re.DOTALL)
"""An answer in Markdown, from a server that does not know schemas."""


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


class Message(Struct):
    """What the model says."""

    content: str | None = None
    refusal: str | None = None


class Choice(Struct):
    """One answer; one is asked for."""

    message: Message
    finish_reason: str | None = None
    logprobs: Logprobs | None = None


class Usage(Struct):
    """Tokens that are billed."""

    prompt_tokens: Count | None = None
    completion_tokens: Count | None = None


class ChatCompletion(Struct):
    """The body of an answer; of all but the choices some servers send nothing, or null."""

    choices: Annotated[tuple[Choice, ...], Meta(min_length=1)]
    model: str | None = None
    usage: Usage | None = None


class Said(Struct, forbid_unknown_fields=True):
    """What the model was asked to say, in JSON."""

    digit: Annotated[int, Meta(ge=0, le=9)] | None
    reason: str | UnsetType = UNSET


def parse(raw: Any, service: Service) -> Answer:
    """What any JSON value says, read as a chat completion.

    Raises:
        BadAnswer: it is none; the model refused, was filtered or cut off; or it said something else than
            it was asked for. None of that is "no digit".
    """
    completion = document(raw, ChatCompletion, service)
    choice = completion.choices[0]
    text = _text(choice, raw, service)
    said = _said(text, raw, service)
    if said.digit is None:
        reason = said.reason.strip() if isinstance(said.reason, str) else ""
        return Answer(raw=raw, model_version=completion.model, reason=reason or "no digit")
    tokens = (choice.logprobs.content if choice.logprobs else None) or ()
    score = confidence(tokens, said.digit, text)
    return Answer((Candidate(str(said.digit), score),), raw=raw, model_version=completion.model)


def _text(choice: Choice, raw: Any, service: Service) -> str:
    """The answer's text, when the model gave one and ended it."""
    if choice.message.refusal or choice.finish_reason == "content_filter":
        todo = "ask another model, or send another image"
        raise service.error(Problem(BadAnswer, "the model refused, or was filtered", raw=raw, todo=todo))
    if choice.finish_reason == "length":
        todo = "allow it more tokens (`most_tokens`), or ask a model that thinks less"
        raise service.error(Problem(BadAnswer, "the answer was cut off", raw=raw, todo=todo))
    if choice.message.content is None:
        refuse("choices[0].message.content: null, and no refusal", raw, service)
    return choice.message.content


def _said(text: str, raw: Any, service: Service) -> Said:
    bare = THOUGHTS.sub("", text)
    fenced = FENCED.match(bare)
    try:
        return msgspec.json.decode(fenced[1] if fenced else bare, type=Said)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        refuse("choices[0].message.content: not the JSON that was asked for", raw, service)


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
    found = re.match(rf'.*"digit"\s*:\s*(?={digit})', text, re.DOTALL)
    return None if found is None else found.end()


def _share(alternatives: Sequence[TopLogprob], digit: int) -> float | None:
    """Tokens may hold a space or a quote beside the digit; equal digits are added up."""
    mass = [0.0] * 10
    for alternative in alternatives:
        bare = alternative.token.strip(' \t\r\n"')
        if len(bare) == 1 and bare in "0123456789":
            mass[int(bare)] += math.exp(alternative.logprob)
    return mass[digit] / math.fsum(mass) if mass[digit] else None
