"""Google's SDK at work for us: it finds the credentials and builds each request; our wire sends it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from digitrec.errors import AuthFailed, BadAnswer
from digitrec.providers import google_credentials
from digitrec.providers.base import not_installed
from digitrec.providers.google_errors import SERVICE, refused
from digitrec.providers.masking import Secrets
from digitrec.providers.translate import Problem
from digitrec.providers.wire import Wire, carrier


class Client:
    """google-cloud-vision's client, and the wire by which it asks."""

    def __init__(
        self, endpoint: str, api_key: str, credentials_file: str | Path | None, *, allow_plain_http: bool
    ) -> None:
        """Open the SDK's client; nothing is sent yet.

        Args:
            endpoint: where to ask.
            api_key: an API key; "": the file, else Application Default Credentials.
            credentials_file: a service-account or ADC file; None: what the SDK finds.
            allow_plain_http: whether the endpoint may be on another machine without encryption.

        Raises:
            NotInstalled: the extra "google" is missing.
            NotConfigured: no credentials were found, or the file or the endpoint cannot be used.
        """
        self._has_key = bool(api_key)
        self._wire = Wire(SERVICE, endpoint, refused, Secrets(api_key), allow_plain_http)
        self._sdk = self._wire.prepare(lambda: _opened(api_key, credentials_file, self._wire))

    def responses(self, request: Mapping[str, Any], timeout: float) -> list[Any]:
        """One request, one attempt; the response to each of its images as it stands on the wire.

        Raises:
            ProviderError: there was no answer, or none that has a response to each image.
        """
        ask = self._sdk.batch_annotate_images
        try:
            reply = self._wire.ask(lambda: ask(request=request, retry=None, timeout=timeout), timeout=timeout)
        except AuthFailed as error:
            if error.status == 401 and not self._has_key:
                self._sdk.transport._session.credentials.token = None  # the next call fetches another
            raise
        raw, images = self._wire.document(reply), len(request["requests"])
        responses = raw.get("responses") if isinstance(raw, dict) else None
        if not isinstance(responses, list) or len(responses) != images:
            count = len(responses) if isinstance(responses, list) else "no"
            said = f"{count} responses for {images} images"
            raise SERVICE.error(Problem(BadAnswer, said, raw=raw), self._wire.secrets)
        return responses

    def close(self) -> None:
        """Close the connections."""
        self._sdk.transport.close()


def _opened(api_key: str, credentials_file: str | Path | None, wire: Wire) -> Any:
    try:
        from google.cloud.vision import ImageAnnotatorClient
    except ImportError as error:
        raise not_installed("Google Vision", "google") from error
    options = {"api_endpoint": wire.endpoint, **({"api_key": api_key} if api_key else {})}
    credentials = None if api_key else google_credentials.load(credentials_file, wire.endpoint)
    sdk: Any = ImageAnnotatorClient(credentials=credentials, transport="rest", client_options=options)
    session = sdk.transport._session  # the SDK has no public way to it
    carrier.mount(session, carrier.questions())
    carrier.mount(session._auth_request.session, carrier.errands())
    wire.secrets.learn(*google_credentials.secrets(credentials_file, session.credentials))
    return sdk
