"""Google Cloud Vision, through google-cloud-vision over REST.

DOCUMENT_TEXT_DETECTION is the feature Google names for handwriting, and the one that always carries a
confidence for each character. One request holds up to 16 images.

Which candidate and which confidence: each word is a candidate; its score is the lowest confidence among
its characters, or the word's own where the characters have none, already 0..1; Google leaves a
confidence of exactly 0 out, so a missing one counts as unknown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from digitrec.answer import Answer
from digitrec.errors import NotConfigured, ProviderError
from digitrec.image import InputSpec, PreparedImage
from digitrec.providers import google_credentials
from digitrec.providers.addresses import allows_plain_http
from digitrec.providers.base import (
    BaseProvider,
    Price,
    Status,
    checked_endpoint,
    checked_key,
    is_installed,
)
from digitrec.providers.google_client import Client
from digitrec.providers.google_errors import RPC, SERVICE
from digitrec.version import install_hint

ENDPOINT = "https://vision.googleapis.com"
FEATURES = {"document": "DOCUMENT_TEXT_DETECTION", "text": "TEXT_DETECTION"}
MOST_BYTES = 7_000_000
"""Bytes of images in one request: Google takes 10 MB of JSON, and base64 adds a third."""


class Google(BaseProvider):
    """Reads text with Google Cloud Vision."""

    wants = InputSpec(encoding="png", min_side=200, max_side=2000, max_bytes=MOST_BYTES, margin=0.1)
    price: Price | None = Price(
        0.0015, "cloud.google.com/vision/pricing: $1.50 per 1,000 up to 5 million a month; 2026-11"
    )
    rate = 30.0  # 1,800 requests a minute
    batch = 16

    def __init__(
        self,
        *,
        api_key: str | None = None,
        credentials_file: str | Path | None = None,
        endpoint: str | None = None,
        feature: str = "document",
        language_hints: Sequence[str] = (),
        allow_plain_http: bool = False,
        name: str = "google",
    ) -> None:
        """Open a client; nothing is sent yet.

        Args:
            api_key: an API key; None: the credentials file, else Application Default Credentials.
            credentials_file: a service-account or ADC file.
            endpoint: where to ask instead of Google; a plain http one is asked without the file's token.
            feature: "document" for handwriting, "text" for sparse text in photographs.
            language_hints: language codes; Google advises against them unless they are certain.
            allow_plain_http: whether the endpoint may be on another machine without encryption.
            name: what to call this engine in a Prediction.

        Raises:
            NotInstalled: the extra "google" is missing.
            NotConfigured: no credentials were found, or the file or the endpoint cannot be used.
        """
        if feature not in FEATURES:
            raise NotConfigured(f"Google Vision has no feature {feature!r}; choose document or text")
        self.name = name
        self.endpoint = checked_endpoint(
            endpoint or ENDPOINT, "DIGITREC_GOOGLE_ENDPOINT", allow_plain_http=allow_plain_http
        )
        api_key = checked_key(api_key or "", "GOOGLE_API_KEY")
        self.options = {"feature": FEATURES[feature], "language_hints": list(language_hints)}
        self._client = Client(self.endpoint, api_key, credentials_file, allow_plain_http=allow_plain_http)

    @classmethod
    def from_env(cls, env: Mapping[str, str], **options: Any) -> Self:
        """GOOGLE_APPLICATION_CREDENTIALS, else GOOGLE_API_KEY, else gcloud's file or the metadata server.

        Beside them: DIGITREC_GOOGLE_ENDPOINT, DIGITREC_GOOGLE_FEATURE ("document" or "text"), and
        DIGITREC_GOOGLE_LANGUAGE_HINTS (with commas between), DIGITREC_ALLOW_PLAIN_HTTP. ``options`` override
        the variables; a key or file among them replaces both the key and the file of the environment.
        """
        file = env.get("GOOGLE_APPLICATION_CREDENTIALS") or None
        hints = env.get("DIGITREC_GOOGLE_LANGUAGE_HINTS", "").split(",")
        found = {
            "endpoint": env.get("DIGITREC_GOOGLE_ENDPOINT"),
            "feature": env.get("DIGITREC_GOOGLE_FEATURE") or "document",
            "language_hints": [hint.strip() for hint in hints if hint.strip()],
            "allow_plain_http": allows_plain_http(env),
        }
        if not options.keys() & {"api_key", "credentials_file"}:
            found["credentials_file"] = file
            found["api_key"] = None if file else env.get("GOOGLE_API_KEY") or None
        return cls(**{**found, **options})

    @classmethod
    def status(cls, env: Mapping[str, str]) -> Status:
        """Which credentials are there, without asking Google's metadata server for any."""
        installed = is_installed("google.cloud.vision")
        found, wrong = google_credentials.found(env), google_credentials.wrong(env)
        missing = [] if installed else [install_hint("google")]
        missing += wrong or ([] if found else [google_credentials.ADVICE])
        return Status(installed, bool(found) and not wrong, tuple(missing), tuple(found))

    def read(self, image: PreparedImage, *, timeout: float) -> Answer:
        """Ask once about one image."""
        (answer,) = self.read_many([image], timeout=timeout)
        if isinstance(answer, ProviderError):
            raise answer
        return answer

    def read_many(self, images: Sequence[PreparedImage], *, timeout: float) -> list[Answer | ProviderError]:
        """Ask in requests of up to 16 images; ``timeout`` bounds each request."""
        return [answer for batch in _batches(images) for answer in self._read_batch(batch, timeout)]

    def _read_batch(self, images: Sequence[PreparedImage], timeout: float) -> list[Answer | ProviderError]:
        request = {"requests": [self._question(image) for image in images]}
        try:
            return [_parsed(response) for response in self._client.responses(request, timeout)]
        except ProviderError as error:
            return [error] * len(images)

    def _question(self, image: PreparedImage) -> dict[str, Any]:
        context: dict[str, Any] = {"language_hints": self.options["language_hints"]}
        if self.options["feature"] == "TEXT_DETECTION":
            context["text_detection_params"] = {"enable_text_detection_confidence_score": True}
        features = [{"type_": self.options["feature"]}]
        return {"image": {"content": image.data}, "features": features, "image_context": context}

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def parse(raw: Any) -> Answer:
    """One AnnotateImageResponse: any JSON value.

    Raises:
        ProviderError: the response carries an error of its own and no text (HTTP 200 all the same).
        BadAnswer: it is no such response.
    """
    from digitrec.providers import google_answer

    return google_answer.parse(raw, SERVICE, RPC)


def _parsed(response: dict[str, Any]) -> Answer | ProviderError:
    try:
        return parse(response)
    except ProviderError as error:
        return error


def _batches(images: Sequence[PreparedImage]) -> Iterator[list[PreparedImage]]:
    """The images in runs that fit into one request."""
    batch: list[PreparedImage] = []
    for image in images:
        size = sum(len(other.data) for other in batch) + len(image.data)
        if batch and (len(batch) == Google.batch or size > MOST_BYTES):
            yield batch
            batch = []
        batch.append(image)
    if batch:
        yield batch
