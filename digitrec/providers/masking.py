"""Redact secrets, however they are encoded, before a text is shown or stored."""

import base64
import html
import json
import os
import re
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

SHORTEST_SECRET = 8
"""Minimum length of a secret that is redacted; redacting every "k" would make messages unreadable."""
MASK = "***"
"""The text that replaces a secret."""
SECRET_NAME = re.compile(
    r"authorization|token|secret|key|password|assertion|credential|signature|identity.?header|jwt"
    r"|device.?code|private",
    re.IGNORECASE,
)
"""A header, field or element with such a name holds a secret, unless its name ends in `PLAIN_NAME`."""
PLAIN_NAME = re.compile(r"(types?|ur[il]s?|endpoint|file|process|source|expir\w*|algorithm)$", re.IGNORECASE)
SIGNATURE = re.compile(r"(?<=Signature=)[0-9a-f]{64}")
"""The signature of one AWS request; it is not kept among the secrets, because each request has another."""


class Secrets:
    """The keys, tokens and passwords of one provider; any thread may add to them."""

    def __init__(self, *secrets: str | None) -> None:
        """Add these secrets; None and texts that are too short to be secrets are ignored."""
        self._learning = threading.Lock()
        self._known: frozenset[str] = frozenset()
        self._forms: frozenset[str] = frozenset()
        self.learn(*secrets)

    def learn(self, *secrets: str | None) -> None:
        """Add these secrets; of a secret with several lines (a private key) also add each line."""
        given = [secret for secret in secrets if secret]
        lines = [line.strip() for secret in given for line in [secret, *secret.splitlines()]]
        new = frozenset(line for line in lines if len(line) >= SHORTEST_SECRET and line[:5] != "-----")
        with self._learning:
            self._forms |= {form for secret in new - self._known for form in _forms(secret)}
            self._known |= new

    def masked(self, value: Any) -> Any:
        """Return a JSON-like value in which ``***`` replaces every secret in texts and names.

        A text that contains an escaped secret (JSON, HTML, percent-encoding) is replaced as a whole.
        """
        if not self._known:
            return value
        longest_first = sorted(self._forms, key=len, reverse=True)
        return _masked(value, longest_first, {_unescaped(secret) for secret in self._known})

    def __repr__(self) -> str:
        """Show the number of secrets, not the secrets."""
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
            yield from secrets_in(dict(re.findall(r"<(\w+)>([^<]+)</", text) or parse_qsl(text)))


def secrets_of_environment(*prefixes: str) -> Iterator[str]:
    """Yield the secrets in the environment's variables whose names begin with one of these prefixes."""
    return secrets_in({name: value for name, value in os.environ.items() if name.startswith(prefixes)})


def _masked(value: Any, forms: Sequence[str], unescaped: Collection[str]) -> Any:
    if isinstance(value, str):
        value = SIGNATURE.sub(MASK, value)
        for form in forms:
            value = value.replace(form, MASK)
        plain = _unescaped(value) if len(value) >= SHORTEST_SECRET else ""
        return MASK if any(secret in plain for secret in unescaped) else value
    if isinstance(value, Mapping):
        return dict([_masked(part, forms, unescaped) for part in pair] for pair in value.items())
    if isinstance(value, list | tuple):
        return [_masked(item, forms, unescaped) for item in value]
    return value


def _forms(secret: str) -> Iterator[str]:
    """Yield the secret in plain text, and in base64 for each of the three offsets at which it may begin."""
    yield secret
    data = secret.encode("utf-8", "surrogatepass")
    for before in range(3):  # up to two bytes may precede it in its group of three, as in "user:key"
        start, end = (before * 8 + 5) // 6, (before + len(data)) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(bytes(before) + data).decode("ascii")[start:end]


def _unescaped(text: str) -> str:
    """Return a text without the escapes of Python, JSON, HTML and URLs, which may be nested."""
    text = re.sub(r"\\+(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(?=.))", _character, text)
    return unquote_plus(unquote_plus(html.unescape(text)))


def _character(escape: re.Match[str]) -> str:
    code = escape[1] or escape[2]
    return chr(int(code, 16)) if code else ""
