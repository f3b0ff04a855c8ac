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
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from digitrec.errors import NotConfigured, Unreachable
from digitrec.providers.base import not_installed
from digitrec.providers.translate import Problem, Rule
from digitrec.providers.wire import Wire
from digitrec.providers.wire.exchange import EXCHANGE

if TYPE_CHECKING:
    from requests import PreparedRequest

SCOPE = "https://cognitiveservices.azure.com/.default"
"""Scope of a token: Azure's AI services."""
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


def signer(wire: Wire, key: str) -> tuple[Callable[[PreparedRequest], PreparedRequest], Callable[[], None]]:
    """Return what signs a request of the wire with a token, and what discards refused tokens.

    Nothing is sent yet. azure-identity keeps a token until five minutes before it expires.

    Args:
        wire: carries the requests for tokens, and redacts the secrets of the variables.
        key: the variable that sets a key instead, for messages.

    Raises:
        NotInstalled: azure-identity is missing.
        NotConfigured: azure-identity refuses its variables.
    """
    wire.secrets.learn(*(os.environ.get(name) for name in SECRET_VARIABLES))
    logging.getLogger("azure").addHandler(logging.NullHandler())  # or its warnings reach the terminal
    asking = threading.Lock()
    tokens = [_tokens(wire, key)]

    def sign(request: PreparedRequest) -> PreparedRequest:
        exchange = EXCHANGE.get()
        if not asking.acquire(timeout=exchange.left_s):
            raise exchange.end(_MISSED)
        try:
            token = tokens[0]()
        except Exception:
            forget()  # azure-identity caches a failure for a minute
            if exchange.errand_problem is None and time.monotonic() >= exchange.deadline:
                raise exchange.end(_MISSED) from None
            raise
        finally:
            asking.release()
        if not re.fullmatch(r"[!-~]+", token):
            raise exchange.end(Problem(NotConfigured, "the access token of Entra ID is invalid"))
        request.headers["Authorization"] = f"Bearer {token}"
        return request

    def forget() -> None:
        tokens[0] = _tokens(wire, key)

    return sign, forget


def _tokens(wire: Wire, key: str) -> Callable[[], str]:
    """Return a function that returns a valid token, and fetches one where it must."""
    try:
        from azure.core.pipeline.transport import RequestsTransport
        from azure.identity import DefaultAzureCredential, get_bearer_token_provider
    except ImportError as error:
        raise not_installed(f"Azure has no key ({key}), and an identity of Entra ID", "azure") from error
    # Microsoft would be asked first about a private cloud's authority, and does not know it.
    private = bool(os.environ.get(AUTHORITY))
    sends = RequestsTransport(session=wire.errands, session_owner=False)
    try:
        found = DefaultAzureCredential(transport=sends, disable_instance_discovery=private, retry_total=0)
    except ValueError:  # its text may quote a variable
        why = "azure-identity does not take a variable that begins with AZURE_"
    else:
        return get_bearer_token_provider(found, SCOPE)
    raise NotConfigured(f"Azure has no key, and {why}; correct it, or set {key}")


def _no_token(error: Exception) -> Problem:
    """Say which identities were tried, and the code of Entra ID's refusal; no other text is shown."""
    lines = [line.strip().partition(": ") for line in str(error).splitlines()]
    tried = [name.removesuffix("Credential") for name, _, why in lines if why and name.endswith("Credential")]
    codes = dict.fromkeys(re.findall(r"AADSTS\d+", str(error)))
    said = ", ".join([*codes, f"tried {', '.join(tried)}" if tried else type(error).__name__])
    return Problem(NotConfigured, f"no key, and no token from Entra ID: {said}")


_MISSED = Problem(Unreachable, "no token came from Entra ID")
"""Nothing was sent, and another attempt may succeed."""
ERRORS: Mapping[str, Rule] = {"builtins.Exception": _no_token}
"""Any exception, since azure-identity tries a chain of programs, files and services."""
