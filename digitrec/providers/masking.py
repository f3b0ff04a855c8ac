"""Redact secrets in whatever is about to be shown or kept, however they are spelled there."""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache
from html.entities import html5
from typing import Any
from urllib.parse import parse_qsl

SHORTEST_SECRET = 8
"""Characters of the shortest secret that is redacted; to redact a "k" would make messages unreadable."""
MASK = "***"
"""What replaces a secret."""
SECRET_NAME = re.compile(
    r"authorization|token|secret|key|password|assertion|credential|signature|identity.?header|jwt"
    r"|device.?code|private",
    re.IGNORECASE,
)
"""A header, field or element of such a name holds a secret, unless its name ends in `PLAIN_NAME`."""
PLAIN_NAME = re.compile(r"(types?|ur[il]s?|endpoint|file|process|source|expir\w*|algorithm)$", re.IGNORECASE)
ELEMENT = re.compile(r"<(\w+)>([^<]+)</")
Form = tuple[str, re.Pattern[str]]
"""The longest part of a secret that is spelled alike everywhere, and a pattern of its spellings."""


class Secrets:
    """The keys, tokens and passwords that one provider knows of; any thread may add to them."""

    def __init__(self, *secrets: str | None, beside: Secrets | None = None) -> None:
        """Know these; None and what is too short to be a secret are passed over.

        Args:
            secrets: what to redact.
            beside: others to redact too, also those that they learn later.
        """
        self._learning = threading.Lock()
        self._beside = beside
        self._known: frozenset[str] = frozenset()
        self._forms: frozenset[Form] = frozenset()
        self.learn(*secrets)

    @classmethod
    def of(cls, secrets: Secrets | Iterable[str]) -> Secrets:
        """Return these as `Secrets`."""
        return secrets if isinstance(secrets, Secrets) else cls(*secrets)

    def learn(self, *secrets: str | None) -> None:
        """Know these as well; of one with several lines (a private key) each line too."""
        given = [secret for secret in secrets if secret]
        lines = [line.strip() for secret in given for line in [secret, *secret.splitlines()]]
        new = frozenset(line for line in lines if len(line) >= SHORTEST_SECRET and line[:5] != "-----")
        if new <= self._known:
            return
        with self._learning:
            self._forms |= {form for secret in new - self._known for form in _forms(secret)}
            self._known |= new

    def masked(self, value: Any) -> Any:
        """Return a JSON-like value with every secret in its texts, names included, replaced by ``***``."""
        forms = self._forms | (self._beside._forms if self._beside else frozenset())
        return _masked(value, sorted(forms, key=lambda form: -len(form[1].pattern))) if forms else value

    def __repr__(self) -> str:
        """Show how many there are, not which."""
        return f"<{len(self._known)} secrets>"


def secrets_in(value: Any) -> Iterator[str]:
    """Yield the texts under a secret's name in headers, a JSON value, a form or an XML document."""
    if isinstance(value, Mapping):
        for name, held in value.items():
            item = held.decode("latin-1") if isinstance(held, bytes) else held
            if not isinstance(item, str):
                yield from secrets_in(item)
            elif SECRET_NAME.search(str(name)) and not PLAIN_NAME.search(str(name)):
                yield item
    elif isinstance(value, list):
        for item in value:
            yield from secrets_in(item)
    elif isinstance(value, bytes | str) and value:
        text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
        try:
            yield from secrets_in(json.loads(text))
        except (ValueError, RecursionError):
            yield from secrets_in(dict(ELEMENT.findall(text) or parse_qsl(text)))


def _masked(value: Any, longest_first: Sequence[Form]) -> Any:
    if isinstance(value, str):
        for plain, pattern in longest_first:
            if plain in value:  # many times quicker than the pattern
                value = pattern.sub(MASK, value)
        return value
    if isinstance(value, Mapping):
        return {_masked(key, longest_first): _masked(item, longest_first) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(item, longest_first) for item in value]
    return value


def _forms(secret: str) -> Iterator[Form]:
    """Yield the secret's forms: as it is, and in base64 wherever it may begin there."""
    yield _form(secret)
    data = secret.encode("utf-8", "surrogatepass")
    for before in range(3):  # as many bytes of something else may stand before it, as in "user:key"
        start, end = (before * 8 + 5) // 6, (before + len(data)) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield _form(encode(bytes(before) + data).decode("ascii")[start:end])


def _form(secret: str) -> Form:
    plain = max(re.findall(r"[A-Za-z0-9]*", secret), key=len)
    return plain, re.compile("".join(map(_spellings, secret)))


@lru_cache(4096)
def _spellings(character: str) -> str:
    """Return a pattern of a character as Python, JSON, addresses and HTML spell it."""
    if character.isascii() and character.isalnum():
        return character
    code, data = ord(character), character.encode("utf-8", "surrogatepass")
    escaped = [repr(character)[1:-1], json.dumps(character)[1:-1], f"\\u{code:04x}", f"\\x{code:02x}"]
    escaped += ["".join(f"%{byte:02x}" for byte in data), "".join(f"%25{byte:02x}" for byte in data)]
    escaped += [f"\\{character}", "+" if character == " " else ""]
    patterns = [re.escape(text) for text in [*escaped, *_entities().get(character, ())] if text]
    patterns = [pattern.replace(r"\\", r"\\+") for pattern in patterns]  # JSON in JSON escapes them again
    spelled = "|".join([*patterns, f"&#0*{code};", f"&#x0*{code:x};"])
    return f"(?:{re.escape(character)}|(?i:{spelled}))"


@cache
def _entities() -> Mapping[str, Sequence[str]]:
    """The names that HTML has for a character."""
    found: dict[str, list[str]] = {}
    for name, text in html5.items():
        found.setdefault(text, []).append(f"&{name}")
    return found
