"""Sign requests to Azure without a key: an identity of Microsoft Entra ID, found by azure-identity.

Its DefaultAzureCredential searches the variables of an application, the machine's own identity, `az login`
and others. Its exceptions are never shown as they are:
they may quote the answer of an authority.
"""

from __future__ import annotations

import logging
import os
import re
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitrec.errors import NotConfigured, Unreachable
from digitrec.providers.base import not_installed
from digitrec.providers.translate import Problem
from digitrec.providers.wire import Wire
from digitrec.providers.wire.exchange import Exchange, GivenUp, current

if TYPE_CHECKING:
    from requests import PreparedRequest

SCOPE = "https://cognitiveservices.azure.com/.default"
"""Scope of a token: Azure's AI services."""
EARLY_S = 300
"""Seconds before its expiry at which a token is renewed."""
AUTHORITY = "AZURE_AUTHORITY_HOST"
SECRET_VARIABLES = (
    "AZURE_CLIENT_SECRET", "AZURE_CLIENT_CERTIFICATE_PASSWORD", "AZURE_PASSWORD", "IDENTITY_HEADER",
    "MSI_SECRET",
)  # fmt: skip
"""Variables of azure-identity that hold secrets."""
SIGNS = (
    ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_SECRET"),
    ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_CLIENT_CERTIFICATE_PATH"),
    ("AZURE_TENANT_ID", "AZURE_CLIENT_ID", "AZURE_FEDERATED_TOKEN_FILE"),
    ("IDENTITY_ENDPOINT", "IDENTITY_HEADER"),
)
"""Sets of variables that name an identity of an application, a workload or a machine of Azure."""
CLI_FILE = "azureProfile.json"
"""File that `az login` writes in its folder; it holds no secret."""
TODO = "sign in (`az login`), or set the variables of an application (AZURE_TENANT_ID, ...), or "


def found(env: Mapping[str, str]) -> tuple[str, ...]:
    """Return the variables or the file that name an identity; () if nothing was found.

    A virtual machine's own identity is left out: asking for it takes seconds.
    """
    for names in SIGNS:
        if all(env.get(name) for name in names):
            return names
    folder = env.get("AZURE_CONFIG_DIR") or str(
        Path(env.get("HOME") or env.get("USERPROFILE") or "~") / ".azure"
    )
    file = Path(folder).expanduser() / CLI_FILE
    return (str(file),) if file.is_file() else ()


class Identity:
    """An identity of Entra ID and its current token; threads may share it."""

    def __init__(self, wire: Wire, key: str) -> None:
        """Open azure-identity; nothing is sent yet.

        Args:
            wire: carries the requests for tokens, and redacts the secrets of the variables.
            key: the variable that sets a key instead, for messages.

        Raises:
            NotInstalled: azure-identity is missing.
            NotConfigured: azure-identity refuses its variables.
        """
        self._wire, self._key = wire, key
        wire.secrets.learn(*(os.environ.get(name) for name in SECRET_VARIABLES))
        self._lock = threading.Lock()
        self._credential = self._opened()
        self._token: Any = None

    def sign(self, request: PreparedRequest) -> PreparedRequest:
        """Put a token into the headers of a request."""
        request.headers["Authorization"] = f"Bearer {self._valid_token()}"
        return request

    def _valid_token(self) -> str:
        """Return a token that stays valid for some minutes; a failure ends the current exchange."""
        exchange = current()
        if not self._lock.acquire(timeout=exchange.left_s):
            raise exchange.end(_missed())
        try:
            if self._token is None or self._token.expires_on - time.time() < EARLY_S:
                self._token = self._fetched(exchange)
            return str(self._token.token)
        finally:
            self._lock.release()

    def forget(self) -> None:
        """Discard a refused token, also from azure-identity's cache."""
        credential = self._opened()
        with self._lock:
            self._token, self._credential = None, credential

    def _opened(self) -> Any:
        try:
            from azure.core.pipeline.transport import RequestsTransport
            from azure.identity import DefaultAzureCredential
        except ImportError as error:
            raise not_installed(
                f"Azure has no key ({self._key}), and an identity of Entra ID", "azure"
            ) from error
        logging.getLogger("azure").addHandler(logging.NullHandler())  # or its warnings reach the terminal
        # Microsoft would be asked first about a private cloud's authority, and does not know it.
        private = bool(os.environ.get(AUTHORITY))
        try:
            sends = RequestsTransport(session=self._wire.errands, session_owner=False)
            return DefaultAzureCredential(transport=sends, disable_instance_discovery=private, retry_total=0)
        except ValueError:  # its text may quote a variable
            why = "azure-identity does not take a variable that begins with AZURE_"
        raise NotConfigured(f"Azure has no key, and {why}; correct it, or set {self._key}")

    def _fetched(self, exchange: Exchange) -> Any:
        """Fetch a token; a failure ends the exchange."""
        try:
            token = self._credential.get_token(SCOPE)
            if re.fullmatch(r"[!-~]+", token.token) and token.expires_on > time.time():
                return token
            said = "the access token is invalid or has expired"
        except Exception as error:  # any class: it tries a chain of programs, files and services
            said = _reason(error)
        self._credential = self._opened()  # the old one caches its failure for a minute
        raise self._unsigned(exchange, said)

    def _unsigned(self, exchange: Exchange, said: str) -> GivenUp:
        if exchange.errand_problem is not None or time.monotonic() >= exchange.deadline:
            return exchange.end(exchange.errand_problem or _missed())
        said = f"no key, and no token from Entra ID: {said}"
        return exchange.end(Problem(NotConfigured, said, todo=f"{TODO}set {self._key}"))


def _missed() -> Problem:
    """Return the problem of a missing token; nothing was sent, and another attempt may succeed."""
    return Problem(Unreachable, "no token came from Entra ID")


def _reason(error: Exception) -> str:
    """Return the code of Entra ID's refusal and the identities that were tried, and no other text."""
    lines = [line.strip().partition(": ") for line in str(error).splitlines()]
    tried = [name.removesuffix("Credential") for name, _, why in lines if why and name.endswith("Credential")]
    codes = dict.fromkeys(re.findall(r"AADSTS\d+", str(error)))
    return ", ".join([*codes, f"tried {', '.join(tried)}" if tried else type(error).__name__])
