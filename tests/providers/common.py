"""Shared by tests of several providers: the clouds, types of fixtures, stored pictures."""

import json
import traceback
from collections.abc import Callable
from contextlib import closing
from typing import Any

from raw_server import answer

from digitrec.answer import Answer, Candidate
from digitrec.emulator.kit import drawn_seven
from digitrec.engine import Engine, Options, Reply
from digitrec.errors import DigitrecError
from digitrec.image import PreparedImage
from digitrec.prepare import prepare
from digitrec.providers.base import Provider

CLOUDS = ("google", "aws", "aws-textract", "azure", "azure-analysis", "azure-document", "openai")
POLLED = ("azure", "azure-document")
"""Clouds whose answer is ordered first and fetched later."""

Opened = Callable[..., Provider]
"""A function from a cloud's name and options to its provider at its emulator."""
Told = Callable[..., Answer | DigitrecError]
"""A function from a cloud's name, replies and options to its provider's outcome."""
Profile = Callable[..., None]
"""A function that writes a configuration of AWS, or a shell script that prints the keys."""
Prepared = Callable[[Provider], PreparedImage]
"""A function from a provider to a seven that is prepared for it."""

BOX = (61, 40, 142, 171)
"""Box of the word on the stored pictures."""
AZURE_WORDS = [
    ("seven", [Candidate("7", 0.985, BOX)]),
    ("two-words", [Candidate("4", 0.9, BOX), Candidate("2", 0.7, BOX)]), ("no-text", []),
]  # fmt: skip
"""Azure's words for the same pictures, in the form of both services."""
KEY = "planted-key-0123456789abcdef"
AWS_KEY = "AKIAPLANTED012345678"
AWS_SECRET = "planted-secret-0123456789abcdef"
NOTHING: dict[str, Any] = {
    "google": {"responses": [{}]}, "aws": {"TextDetections": []}, "aws-textract": {"Blocks": []},
    "azure": {"status": "succeeded", "analyzeResult": {"readResults": []}},
    "azure-analysis": {"readResult": {"blocks": []}},
    "azure-document": {"status": "succeeded", "analyzeResult": {"pages": []}},
    "openai": {"choices": [{"message": {"content": json.dumps({"digit": None, "reason": "blank"})}}]},
}  # fmt: skip
"""Each cloud's answer to a picture without text."""
ORDERED = answer(202, b"", ("Operation-Location", "https://any.example/vision/v3.2/read/analyzeResults/abc"))
"""Azure's reply when it accepts a picture."""


def json_answer(status: int, value: Any, *headers: tuple[str, str]) -> bytes:
    return answer(status, json.dumps(value).encode(), *headers)


def replies(cloud: str, value: Any) -> list[bytes]:
    """Return the replies by which a cloud answers one image with a document."""
    return [*([ORDERED] if cloud in POLLED else []), json_answer(200, value)]


def asked(provider: Provider, **options: Any) -> Reply:
    """Ask the engine about a seven, without a ledger unless the options name one."""
    with closing(Engine(provider, Options(**{"ledger": "none", **options}))) as engine:
        (reply,) = engine.ask([prepare(drawn_seven(), provider.wants)])
    return reply


def assert_error(error: object, kind: type[Exception], *words: str) -> None:
    """Check the exact class of an outcome, and that its message has these words."""
    assert type(error) is kind
    assert [word for word in words if word not in str(error)] == []


def outcome(provider: Provider, timeout: float = 5.0) -> Answer | DigitrecError:
    """Ask about a seven; check that no key shows in the result and that an error is one line."""
    image = prepare(drawn_seven(), provider.wants)
    try:
        result: Answer | DigitrecError = provider.read(image, timeout=timeout)
    except DigitrecError as error:
        result = error
    shown = repr(result) + str(result)
    inner = result if isinstance(result, BaseException) else None
    while inner is not None:
        shown += "".join(traceback.format_exception(inner)) + repr(vars(inner))
        inner = inner.__cause__ or inner.__context__
    assert not [key for key in (KEY, AWS_KEY, AWS_SECRET) if key in shown]
    assert "\n" not in str(result)
    return result
