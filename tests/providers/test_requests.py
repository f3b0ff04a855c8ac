"""Our requests equal those of the vendors' SDKs: method, address, body and credentials."""

import io
import json
from collections.abc import Callable
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from emulator import clients
from raw_server import RawServer, answer, raw_server

from digitrec.errors import ProviderError

from .common import AWS_KEY, AWS_SECRET, CLOUDS, KEY, POLLED, Opened, Prepared

RESULTS = "/documentintelligence/documentModels/prebuilt-read/analyzeResults/abc?api-version=2024-11-30"
COMPARED = ("content-type", "authorization", "x-goog-api-key", "x-amz-target", "ocp-apim-subscription-key")
"""Headers that the vendors read; the others describe the client."""


def google(url: str, picture: bytes) -> None:
    context = {
        "language_hints": ["en"], "text_detection_params": {"enable_text_detection_confidence_score": True},
    }  # fmt: skip
    features = [{"type_": "TEXT_DETECTION"}]
    request = {"image": {"content": picture}, "features": features, "image_context": context}
    clients.google(url, KEY).batch_annotate_images(request={"requests": [request]}, retry=None, timeout=5)


def azure(url: str, picture: bytes) -> None:
    client = clients.azure(url, KEY)
    client.read_in_stream(io.BytesIO(picture), raw=True)
    client.get_read_result("abc", raw=True)


def openai(url: str, picture: bytes) -> None:
    from openai import OpenAI

    OpenAI(api_key=KEY, base_url=url, max_retries=0).chat.completions.create(model="a-model", messages=[])


OWN: dict[str, Callable[[str, bytes], None]] = {"google": google, "azure": azure, "openai": openai}
"""Requests that differ from those of `clients.ASK`: other features, a single poll, no /v1 in the address."""


def sdk(cloud: str, url: str, picture: bytes) -> None:
    """Send a picture by the vendor's SDK."""
    if cloud in OWN:
        OWN[cloud](url, picture)
    else:
        clients.ASK[cloud](url, picture, f"{AWS_KEY}:{AWS_SECRET}" if cloud.startswith("aws") else KEY)


OPTIONS: dict[str, dict[str, Any]] = {"google": {"feature": "text", "language_hints": ["en"]}}


def asked(server: RawServer, cloud: str) -> list[Any]:
    return [parts(request, cloud) for request in server.arrived]


def parts(request: bytes, cloud: str) -> tuple[Any, ...]:
    """Return the parts of a request that the vendor reads; of a signature its signer, service and region."""
    head, _, body = request.partition(b"\r\n\r\n")
    first, *lines = head.decode().splitlines()
    method, address, _ = first.split()
    query = [it for it in parse_qsl(urlsplit(address).query) if it[0] not in ("$alt", "prettyPrint")]
    headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
    read = {name: headers[name].partition(", ")[0] for name in COMPARED if name in headers}
    said: Any = body
    if cloud == "openai":  # the SDK does not choose the feature
        said = None
    elif read.get("content-type", "").endswith(("json", "json-1.1", "json-1.0")):
        said = json.loads(body)
        for one in said.get("requests", []):
            kinds = [it["type"] for it in one["features"]]
            one["features"] = [{"type": {5: "TEXT_DETECTION"}.get(kind, kind)} for kind in kinds]
    return method, urlsplit(address).path, query, read, said


@pytest.mark.parametrize("cloud", CLOUDS)
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_our_request_is_the_sdks(cloud: str, opened: Opened, prepared: Prepared) -> None:
    with raw_server() as ours, raw_server() as theirs:
        for server in (ours, theirs):
            ordered = answer(202, b"", ("Operation-Location", f"{server.url}{RESULTS}"))
            server.say = [*([ordered] if cloud in POLLED else []), answer(200, b'{"status": "succeeded"}')]
        provider = opened(cloud, endpoint=ours.url, **OPTIONS.get(cloud, {}))
        picture = prepared(provider)
        for ask in (lambda: provider.read(picture, timeout=5), lambda: sdk(cloud, theirs.url, picture.data)):
            with suppress(Exception):  # neither can use the answer
                ask()
        provider.close()
        assert asked(ours, cloud) == asked(theirs, cloud)
        assert len(ours.arrived) == (2 if cloud in POLLED else 1)


@pytest.mark.parametrize(("cloud", "service"), [("aws", "rekognition"), ("aws-textract", "textract")])
def test_what_aws_signed_is_what_is_sent(
    cloud: str, service: str, opened: Opened, prepared: Prepared, server: RawServer
) -> None:
    provider = opened(cloud, endpoint=server.url)
    with suppress(ProviderError):
        provider.read(prepared(provider), timeout=5)
    head, _, body = server.arrived[0].partition(b"\r\n\r\n")
    lines = [line.split(": ", 1) for line in head.decode().splitlines()[1:]]
    headers = {name.lower(): value for name, value in lines}
    names = headers["authorization"].partition("SignedHeaders=")[2].partition(",")[0].split(";")
    sent = AWSRequest("POST", f"{server.url}/", {name: headers[name] for name in names}, body)
    sent.context["timestamp"] = headers["x-amz-date"]
    auth = SigV4Auth(Credentials(AWS_KEY, AWS_SECRET), service, "us-east-1")
    signature = auth.signature(auth.string_to_sign(sent, auth.canonical_request(sent)), sent)
    assert headers["authorization"].endswith(f"Signature={signature}")
