"""botocore signs, the emulator verifies: two independent implementations of one specification."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from digitrec.emulator.vendors.aws_signature import AwsError, verify
from digitrec.emulator.vendors.base import Request

SECRETS = {"AKID": "secret"}
BODY = b'{"Image":{}}'


def signed(
    *, secret: str = "secret", token: str | None = None, service: str = "rekognition", query: str = ""
) -> Request:
    url = "http://127.0.0.1:8000/" + (f"?{query}" if query else "")
    request = AWSRequest("POST", url, {"X-Amz-Target": "RekognitionService.DetectText"}, BODY)
    SigV4Auth(Credentials("AKID", secret, token), service, "eu-west-1").add_auth(request)
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Request("POST", "/", query, {"host": "127.0.0.1:8000", **headers}, BODY)


def changed(name: str, value: str | None = None, *, old: str = "", new: str = "") -> Request:
    """Return a signed request with another header, or with ``old`` in it replaced; "" removes it."""
    request = signed()
    headers = dict(request.headers)
    headers[name] = headers[name].replace(old, new) if value is None else value
    return replace(request, headers={name: value for name, value in headers.items() if value})


@pytest.mark.parametrize("query", ["", "b=2&a=1", "a=x%20y&a=%C3%A9&empty="])
@pytest.mark.parametrize("token", [None, "session"])
def test_what_botocore_signed_is_accepted(query, token):
    verify(signed(query=query, token=token), SECRETS, "rekognition")


@pytest.mark.parametrize(("request_", "code"), [
    (signed(secret="guessed"), "InvalidSignatureException"),
    (replace(signed(), body=BODY + b" "), "InvalidSignatureException"),
    (changed("x-amz-target", "RekognitionService.DetectLabels"), "InvalidSignatureException"),
    (replace(signed(query="a=1"), query="a=2"), "InvalidSignatureException"),
    (signed(service="s3"), "InvalidSignatureException"),
    (changed("authorization", old="AKID", new="OTHER"), "UnrecognizedClientException"),
    (changed("authorization", ""), "MissingAuthenticationTokenException"),
    (changed("authorization", "Bearer x"), "IncompleteSignatureException"),
    (changed("authorization", "AWS4-HMAC-SHA256 Credential=AKID"), "IncompleteSignatureException"),
    (changed("authorization", old="host;"), "IncompleteSignatureException"),
    (changed("x-amz-date", "yesterday"), "IncompleteSignatureException"),
], ids=str)  # fmt: skip
def test_requests_that_are_refused(request_, code):
    with pytest.raises(AwsError) as caught:
        verify(request_, SECRETS, "rekognition")
    assert caught.value.code == code


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_signature_of_another_time(minutes):
    now = datetime.now(UTC) + timedelta(minutes=minutes)
    with pytest.raises(AwsError) as caught:
        verify(signed(), SECRETS, "rekognition", now=now)
    assert caught.value.code == "InvalidSignatureException"
