"""Pictures, an engine, and the vendors' own clients, one attempt each."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any

from PIL import Image, ImageDraw

from digitrec.emulator import Picture, Word

SEVEN = Word("7", 0.93, (80, 10, 120, 110))
FORTY_TWO = Word("42", 0.5, (130, 10, 170, 110))
BELOW = Word("8", 0.25, (10, 200, 40, 260))
TIMEOUT = 5
READ = "/computervision/imageanalysis:analyze?api-version=2023-10-01&features=read"
HEADERS = {"Ocp-Apim-Subscription-Key": "k", "Content-Type": "application/octet-stream"}
"""What Azure Image Analysis is asked with in plain HTTP."""


def picture(size: tuple[int, int] = (200, 120), form: str = "PNG") -> bytes:
    """A seven on white."""
    image = Image.new("L", size, 255)
    width, height = size
    points = [(0.3 * width, 0.2 * height), (0.7 * width, 0.2 * height), (0.4 * width, 0.9 * height)]
    ImageDraw.Draw(image).line(points, fill=0, width=max(1, height // 12))
    file = io.BytesIO()
    image.save(file, form)
    return file.getvalue()


def heavy(size: int) -> bytes:
    """A picture of that many bytes: what comes after a PNG's end is not looked at."""
    data = picture()
    return data + bytes(size - len(data))


def reads(*words: Word) -> Any:
    """An engine that reads these words on every picture."""

    def read(picture: Picture) -> list[Word]:
        return list(words)

    return read


def fails(error: Exception) -> Any:
    """An engine to which this happens on every picture."""

    def read(picture: Picture) -> list[Word]:
        raise error

    return read


def google(endpoint: str, **options: Any) -> Any:
    from google.auth.credentials import AnonymousCredentials
    from google.cloud.vision import ImageAnnotatorClient

    credentials = None if "api_key" in options else AnonymousCredentials()
    return ImageAnnotatorClient(
        credentials=credentials, transport="rest", client_options={"api_endpoint": endpoint, **options}
    )


def detect_text(
    endpoint: str, key: str = "test", secret: str = "test", timeout: float = TIMEOUT, **arguments: Any
) -> Any:
    """Rekognition's answer, asked through a client that is closed again."""
    with aws(endpoint, key, secret, timeout) as client:
        return client.detect_text(**(arguments or {"Image": {"Bytes": picture()}}))


@contextmanager
def aws(endpoint: str, key: str, secret: str, timeout: float, service: str = "rekognition") -> Iterator[Any]:
    import boto3
    from botocore.config import Config

    config = Config(retries={"total_max_attempts": 1}, read_timeout=timeout, connect_timeout=timeout)
    make: Any = boto3.client
    client = make(
        service, region_name="eu-west-1", endpoint_url=endpoint, config=config,
        aws_access_key_id=key, aws_secret_access_key=secret,
    )  # fmt: skip
    with closing(client):
        yield client


def azure(endpoint: str, key: str = "any") -> Any:
    from azure.cognitiveservices.vision.computervision import ComputerVisionClient
    from msrest.authentication import CognitiveServicesCredentials

    client = ComputerVisionClient(endpoint, CognitiveServicesCredentials(key))
    client.config.retry_policy.retries = 0
    return client


def azure_document(endpoint: str, key: str = "any") -> Any:
    from azure.ai.documentintelligence import DocumentIntelligenceClient
    from azure.core.credentials import AzureKeyCredential

    return DocumentIntelligenceClient(
        endpoint, AzureKeyCredential(key), retry_total=0, permit_redirects=False, polling_interval=0.02
    )


def azure_analysis(endpoint: str, key: str = "any") -> Any:
    from azure.ai.vision.imageanalysis import ImageAnalysisClient
    from azure.core.credentials import AzureKeyCredential

    return ImageAnalysisClient(endpoint, AzureKeyCredential(key))
