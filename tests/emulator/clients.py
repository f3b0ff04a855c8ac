"""Pictures, engines, and the seven vendors' own clients behind one function."""

import base64
import io
import json
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from typing import Any

from pictures import encoded
from PIL import Image, ImageDraw

from digitrec.emulator import Picture, Word

SEVEN = Word("7", 0.93, (80, 10, 120, 110))
FORTY_TWO = Word("42", 0.5, (130, 10, 170, 110))
BELOW = Word("8", 0.25, (10, 200, 40, 260))
TIMEOUT = 5
READ = "/computervision/imageanalysis:analyze?api-version=2023-10-01&features=read"
HEADERS = {"Ocp-Apim-Subscription-Key": "k", "Content-Type": "application/octet-stream"}
"""A plain request to Azure Image Analysis."""


def picture(size: tuple[int, int] = (200, 120), form: str = "PNG") -> bytes:
    """Return a seven on white."""
    image = Image.new("L", size, 255)
    width, height = size
    points = [(0.3 * width, 0.2 * height), (0.7 * width, 0.2 * height), (0.4 * width, 0.9 * height)]
    ImageDraw.Draw(image).line(points, fill=0, width=max(1, height // 12))
    return encoded(image, form)


def heavy(size: int) -> bytes:
    """Return a picture of ``size`` bytes: decoders skip bytes after a PNG's end."""
    data = picture()
    return data + bytes(size - len(data))


def reads(*words: Word) -> Callable[[Picture], list[Word]]:
    """Return an engine that reads these words on every picture."""
    return lambda _: list(words)


def data_url(content: bytes, media_type: str = "image/png") -> dict[str, Any]:
    """Return the part of an OpenAI message with a picture."""
    url = f"data:{media_type};base64,{base64.b64encode(content).decode()}"
    return {"type": "image_url", "image_url": {"url": url}}


@dataclass(frozen=True)
class Said:
    """What a vendor's client returns."""

    lines: list[str]
    words: list[tuple[str, float]]
    model: str


class InPlace(Exception):
    """Google's error of one picture."""


def google(endpoint: str, key: str = "") -> Any:
    from google.auth.credentials import AnonymousCredentials
    from google.cloud.vision import ImageAnnotatorClient

    options = {"api_endpoint": endpoint, **({"api_key": key} if key else {})}
    credentials = None if key else AnonymousCredentials()
    return ImageAnnotatorClient(credentials=credentials, transport="rest", client_options=options)


def boto(service: str, endpoint: str, key: str) -> Any:
    import boto3
    from botocore.config import Config

    config = Config(retries={"total_max_attempts": 1}, read_timeout=TIMEOUT, connect_timeout=TIMEOUT)
    name, _, secret = key.partition(":")
    make: Any = boto3.client
    return closing(
        make(
            service, region_name="us-east-1", endpoint_url=endpoint, config=config,
            aws_access_key_id=name, aws_secret_access_key=secret,
        )
    )  # fmt: skip


def azure(endpoint: str, key: str = "any") -> Any:
    from azure.cognitiveservices.vision.computervision import ComputerVisionClient
    from msrest.authentication import CognitiveServicesCredentials

    client = ComputerVisionClient(endpoint, CognitiveServicesCredentials(key))
    client.config.retry_policy.retries = 0
    return client


def azure_analysis(endpoint: str, key: str = "any") -> Any:
    from azure.ai.vision.imageanalysis import ImageAnalysisClient
    from azure.core.credentials import AzureKeyCredential

    return ImageAnalysisClient(endpoint, AzureKeyCredential(key), retry_total=0)


def azure_document(endpoint: str, key: str = "any") -> Any:
    from azure.ai.documentintelligence import DocumentIntelligenceClient
    from azure.core.credentials import AzureKeyCredential

    how: Any = {"retry_total": 0, "permit_redirects": False, "polling_interval": 0.02}
    return DocumentIntelligenceClient(endpoint, AzureKeyCredential(key), **how)


def openai(endpoint: str, key: str = "any") -> Any:
    from openai import OpenAI

    return OpenAI(api_key=key, base_url=f"{endpoint}/v1", max_retries=0, timeout=TIMEOUT)


def _ask_google(endpoint: str, content: bytes, key: str) -> Said:
    with google(endpoint, key) as client:
        answer = client.document_text_detection(image={"content": content}, retry=None, timeout=TIMEOUT)
    if answer.error.code:
        raise InPlace(answer.error.code)
    text = answer.full_text_annotation
    words = [word for page in text.pages for word in page.blocks[0].paragraphs[0].words]
    spelled = [("".join(symbol.text for symbol in word.symbols), word.confidence) for word in words]
    return Said(text.text.splitlines(), spelled, answer.context.uri)


def _of_aws(found: list[Any], kind: str, text: str, model: str) -> Said:
    lines = [one[text] for one in found if one[kind] == "LINE"]
    words = [(one[text], one["Confidence"] / 100) for one in found if one[kind] == "WORD"]
    return Said(lines, words, model)


def _ask_aws(endpoint: str, content: bytes, key: str) -> Said:
    with boto("rekognition", endpoint, key or "test:test") as client:
        answer = client.detect_text(Image={"Bytes": content})
    return _of_aws(answer["TextDetections"], "Type", "DetectedText", answer["TextModelVersion"])


def _ask_textract(endpoint: str, content: bytes, key: str) -> Said:
    with boto("textract", endpoint, key or "test:test") as client:
        answer = client.detect_document_text(Document={"Bytes": content})
    return _of_aws(answer["Blocks"], "BlockType", "Text", answer["DetectDocumentTextModelVersion"])


def _of_azure(lines: list[Any], model: str) -> Said:
    words = [(word.text, word.confidence) for line in lines for word in line.words]
    return Said([line.text for line in lines], words, model)


def _ask_azure(endpoint: str, content: bytes, key: str) -> Said:
    with azure(endpoint, key or "any") as client:
        posted = client.read_in_stream(io.BytesIO(content), raw=True, timeout=TIMEOUT)
        operation = posted.headers["Operation-Location"].rpartition("/")[2]
        while (answer := client.get_read_result(operation, timeout=TIMEOUT)).analyze_result is None:
            pass
    (page,) = answer.analyze_result.read_results
    return _of_azure(page.lines, answer.analyze_result.model_version)


def _ask_analysis(endpoint: str, content: bytes, key: str) -> Said:
    with azure_analysis(endpoint, key or "any") as client:
        answer = client.analyze(image_data=content, visual_features=["read"])
    return _of_azure([line for block in answer.read.blocks for line in block.lines], answer.model_version)


def _ask_document(endpoint: str, content: bytes, key: str) -> Said:
    with azure_document(endpoint, key or "any") as client:
        answer = client.begin_analyze_document("prebuilt-read", content).result(timeout=TIMEOUT)
    (page,) = answer.pages
    spelled = [(word.content, word.confidence) for word in page.words]
    return Said([line.content for line in page.lines], spelled, answer.model_id)


def _ask_openai(endpoint: str, content: bytes, key: str) -> Said:
    messages: Any = [{"role": "user", "content": [data_url(content)]}]
    with openai(endpoint, key or "any") as client:
        answer = client.chat.completions.create(model="a-model", messages=messages)
    digit = json.loads(answer.choices[0].message.content)["digit"]
    return Said([] if digit is None else [str(digit)], [], answer.model)


ASK: Mapping[str, Callable[[str, bytes, str], Said]] = {
    "google": _ask_google, "aws": _ask_aws, "aws-textract": _ask_textract, "azure": _ask_azure,
    "azure-analysis": _ask_analysis, "azure-document": _ask_document, "openai": _ask_openai,
}  # fmt: skip
"""Send a picture to a cloud's endpoint with a key ("" is the default, AWS's is "id:secret")."""


def code(error: Exception) -> str:
    """Return the most exact code that a vendor's client gives for an error."""
    response: Any = getattr(error, "response", None)
    if response is None:
        return str(error)
    if isinstance(response, dict):  # of botocore
        return str(response["Error"]["Code"])
    body = response.json()["error"]
    causes = [body.get("innererror", {}).get("code"), *(cause["reason"] for cause in body.get("details", []))]
    return str(next(filter(None, [*causes, body.get("status"), body.get("code"), body.get("type")])))
