"""botocore signs, we verify: two independent implementations of one specification."""

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
    headers = {"X-Amz-Target": "RekognitionService.DetectText", "Content-Type": "application/x-amz-json-1.1"}
    request = AWSRequest("POST", url, headers=headers, data=BODY)
    SigV4Auth(Credentials("AKID", secret, token), service, "eu-west-1").add_auth(request)
    sent = {name.lower(): value for name, value in request.prepare().headers.items()}
    sent = {name: value.decode() if isinstance(value, bytes) else value for name, value in sent.items()}
    return Request("POST", "/", query, {"host": "127.0.0.1:8000", **sent}, BODY)


def refused(request: Request, **options: object) -> str:
    with pytest.raises(AwsError) as caught:
        verify(request, SECRETS, "rekognition", **options)
    return caught.value.code


def changed(request: Request, **headers: str) -> Request:
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return replace(request, headers={**request.headers, **names})


@pytest.mark.parametrize("query", ["", "b=2&a=1", "a=x%20y&a=%C3%A9&empty="])
def test_what_botocore_signed_is_taken(query):
    verify(signed(query=query), SECRETS, "rekognition")
    verify(signed(query=query, token="session"), SECRETS, "rekognition")


def test_another_secret():
    assert refused(signed(secret="guessed")) == "InvalidSignatureException"


def test_a_changed_body():
    assert refused(replace(signed(), body=BODY + b" ")) == "InvalidSignatureException"


def test_a_changed_header():
    request = changed(signed(), x_amz_target="RekognitionService.DetectLabels")
    assert refused(request) == "InvalidSignatureException"


def test_a_changed_query():
    assert refused(replace(signed(query="a=1"), query="a=2")) == "InvalidSignatureException"


def test_an_unknown_key():
    request = signed()
    wrong = request.headers["authorization"].replace("AKID", "OTHER")
    assert refused(changed(request, authorization=wrong)) == "UnrecognizedClientException"


def test_a_signature_for_another_service():
    assert refused(signed(service="s3")) == "InvalidSignatureException"


@pytest.mark.parametrize("minutes", [-6, 6])
def test_a_signature_of_another_time(minutes):
    now = datetime.now(UTC) + timedelta(minutes=minutes)
    assert refused(signed(), now=now) == "InvalidSignatureException"


def test_a_missing_signature():
    request = signed()
    headers = {name: value for name, value in request.headers.items() if name != "authorization"}
    assert refused(replace(request, headers=headers)) == "MissingAuthenticationTokenException"


@pytest.mark.parametrize("header", ["", "Bearer x", "AWS4-HMAC-SHA256 Credential=AKID"])
def test_half_a_signature(header):
    assert refused(changed(signed(), authorization=header)) == "IncompleteSignatureException"


def test_a_signature_that_does_not_cover_the_host():
    request = signed()
    header = request.headers["authorization"].replace("host;", "")
    assert refused(changed(request, authorization=header)) == "IncompleteSignatureException"


def test_a_date_that_is_none():
    assert refused(changed(signed(), x_amz_date="yesterday")) == "IncompleteSignatureException"
