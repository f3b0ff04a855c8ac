"""What may show nowhere, and the way to take it out of whatever is about to be shown or kept."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, quote_plus

SHORTEST_SECRET = 8
"""No real key is shorter, and taking out a test's "k" would make a message unreadable."""
MASK = "***"
"""What stands in the place of a secret."""


class Secrets:
    """The keys, tokens and passwords that one provider knows of; learned as they come up, by any thread."""

    def __init__(self, *secrets: str | None, beside: Secrets | None = None) -> None:
        """Know these; None and what is too short to be a secret are passed over.

        Args:
            secrets: what may show nowhere.
            beside: others, which are masked too, those as well that they learn later.
        """
        self._learning = threading.Lock()
        self._beside = beside
        self._known: frozenset[str] = frozenset()
        self._forms: frozenset[str] = frozenset()
        self.learn(*secrets)

    @classmethod
    def of(cls, secrets: Secrets | Iterable[str]) -> Secrets:
        """These, whichever way they are given."""
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
        """A JSON-like value with every secret in its texts, names included, replaced by ``***``."""
        forms = self._forms | (self._beside._forms if self._beside else frozenset())
        return _masked(value, sorted(forms, key=len, reverse=True)) if forms else value

    def __repr__(self) -> str:
        """How many, and not which."""
        return f"<{len(self._known)} secrets>"


def _masked(value: Any, longest_first: Sequence[str]) -> Any:
    if isinstance(value, str):
        for form in longest_first:  # many times quicker than one pattern of them all
            if form in value:
                value = value.replace(form, MASK)
        return value
    if isinstance(value, Mapping):
        return {_masked(key, longest_first): _masked(item, longest_first) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_masked(item, longest_first) for item in value]
    return value


def _forms(secret: str) -> Iterator[str]:
    """The secret as it is, and as others spell it: quoted by Python, in JSON, in an address, in base64."""
    yield secret
    yield repr(secret)[1:-1]
    yield json.dumps(secret)[1:-1]
    yield json.dumps(secret, ensure_ascii=False)[1:-1]
    data = secret.encode("utf-8", "surrogatepass")
    yield from (quote(data), quote(data, safe=""), quote_plus(data))
    for before in range(3):  # as many bytes of something else may stand before it, as in "user:key"
        start, end = (before * 8 + 5) // 6, (before + len(data)) * 8 // 6
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(bytes(before) + data).decode("ascii")[start:end]
