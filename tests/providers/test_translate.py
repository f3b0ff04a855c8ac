from __future__ import annotations

import importlib
import inspect
import traceback
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from digitrec.errors import (
    AuthFailed,
    BadAnswer,
    NotConfigured,
    ProviderError,
    QuotaExceeded,
    RateLimited,
    Rejected,
    TimedOut,
    Unavailable,
)
from digitrec.providers import aws, azure, azure_analysis, google, rapidocr, tesseract
from digitrec.providers.translate import Problem, Rule, Service, from_http, problem_of, retry_after

TABLES: Mapping[str, Mapping[str, Rule]] = {
    module.__name__: module.ERRORS for module in (google, aws, azure, azure_analysis, rapidocr, tesseract)
}
RAISED_BY = {
    google.__name__: ["google.api_core.exceptions", "google.auth.exceptions", "requests.exceptions"],
    aws.__name__: ["botocore.exceptions", "botocore.parsers"],
    azure.__name__: ["msrest.exceptions", "requests.exceptions"],
    azure_analysis.__name__: ["azure.core.exceptions"],
}
"""Where each SDK defines what it raises."""
NEVER_MET = {
    # roots, whose members are listed one by one
    "BotoCoreError", "AzureError", "GoogleAPIError", "ClientException",
    # mistakes in our own call, which must show as what they are
    "DuplicateCredentialArgs", "AsyncRestUnsupportedParameterError", "ValidationError",
    "ParamValidationError", "MissingParametersError", "UnknownParameterError", "UnknownKeyError",
    "RangeError", "SerializationError", "AliasConflictParameterError", "UnknownClientMethodError",
    "UnknownServiceError", "UnknownServiceStyle", "InvalidExpressionError",
    "UndefinedModelAttributeError", "MissingServiceIdError", "InvalidHostLabelError",
    "ApiVersionNotFoundError", "DataNotFoundError", "UnsupportedServiceProtocolsError",
    "InvalidRetryConfigurationError", "InvalidMaxRetryAttemptsError", "InvalidRetryModeError",
    "InvalidDefaultsMode", "UnsupportedSignatureVersionError", "UnknownSignatureVersionError",
    "InvalidChecksumConfigError",
    # retries and token refresh are off, no stream, page, waiter, stub or checksum is used
    "RetryError", "TokenExpiredError", "AuthenticationError", "StreamConsumedError",
    "StreamClosedError", "ResponseNotReadError", "UnseekableStreamError", "PaginationError",
    "OperationNotPageableError", "WaiterError", "WaiterConfigError", "StubResponseError",
    "StubAssertionError", "UnStubbedResponseError", "ChecksumError", "FlexibleChecksumError",
    "AwsChunkedWrapperError", "MD5UnavailableError", "CapacityNotAvailableError",
    # other services than Rekognition
    "InvalidDNSNameError", "InvalidS3AddressingStyleError", "UnsupportedS3ArnError",
    "UnsupportedS3ControlArnError", "UnsupportedOutpostResourceError",
    "UnsupportedS3ConfigurationError", "UnsupportedS3AccesspointConfigurationError",
    "UnsupportedS3ControlConfigurationError", "InvalidEndpointDiscoveryConfigurationError",
    "InvalidS3UsEast1RegionalEndpointConfigError", "InvalidSTSRegionalEndpointsConfigError",
    "InvalidIMDSEndpointError", "InvalidIMDSEndpointModeError", "ServiceNotInRegionError",
    "InvalidEndpointConfigurationError",
}  # fmt: skip


def exceptions_of(module: str) -> Iterator[type[Exception]]:
    for cls in vars(importlib.import_module(module)).values():
        if inspect.isclass(cls) and issubclass(cls, Exception) and cls.__module__ == module:
            yield cls


@pytest.mark.parametrize("provider", TABLES)
def test_every_name_in_a_table_is_an_exception_of_that_name(provider: str) -> None:
    for name in TABLES[provider]:
        module, _, qualname = name.rpartition(".")
        cls = getattr(importlib.import_module(module), qualname)
        assert issubclass(cls, Exception)
        assert f"{cls.__module__}.{cls.__qualname__}" == name


@pytest.mark.parametrize(
    ("provider", "module"), [(p, m) for p, modules in RAISED_BY.items() for m in modules]
)
def test_every_exception_of_an_sdk_is_in_its_table_or_never_met(provider: str, module: str) -> None:
    table = TABLES[provider]
    left = {
        cls.__name__
        for cls in exceptions_of(module)
        if not issubclass(cls, Warning)
        and not any(f"{base.__module__}.{base.__qualname__}" in table for base in cls.__mro__)
    }
    assert left <= NEVER_MET


class Foreign(Exception):
    pass


class Closer(Foreign):
    pass


NAME = f"{Foreign.__module__}.Foreign"
SERVICE = Service("A service", {NAME: Unavailable, f"{Closer.__module__}.Closer": TimedOut})


def test_the_most_specific_class_decides() -> None:
    assert problem_of(Foreign(), SERVICE.errors) == Problem(Unavailable)
    assert problem_of(Closer(), SERVICE.errors) == Problem(TimedOut)


def test_what_is_not_listed_passes_through() -> None:
    with pytest.raises(ZeroDivisionError), SERVICE.translated():
        raise ZeroDivisionError


def test_one_of_ours_passes_through() -> None:
    ours = Rejected("no")
    with pytest.raises(Rejected) as caught, SERVICE.translated():
        raise ours
    assert caught.value is ours


def test_the_foreign_exception_is_the_cause() -> None:
    with pytest.raises(Unavailable) as caught, SERVICE.translated():
        raise Foreign("gone")
    assert isinstance(caught.value.__cause__, Foreign)


def test_a_secret_shows_neither_in_the_message_nor_in_the_traceback() -> None:
    key = "-".join(["a", "planted", "key"])  # in pieces, or the traceback would quote this line
    with pytest.raises(Unavailable) as caught, SERVICE.translated([key]):
        raise Foreign(f"header x: {key}")
    assert key not in "".join(traceback.format_exception(caught.value))
    assert "***" in str(caught.value)


def test_a_secret_shows_not_even_quoted() -> None:
    assert "planted" not in str(
        SERVICE.error(Problem(Unavailable, r"header 'planted\nkey'"), ["planted\nkey"])
    )


def test_a_secret_is_taken_out_of_the_raw_answer() -> None:
    error = SERVICE.error(Problem(BadAnswer, raw={"echo": ["a-planted-key"]}), ["a-planted-key"])
    assert isinstance(error, ProviderError)
    assert error.raw == {"echo": ["***"]}


def test_a_message_is_one_short_line_without_markup() -> None:
    long = str(SERVICE.error(Problem(Rejected, "line\n" * 500)))
    page = str(SERVICE.error(Problem(Unavailable, "<html><body>Bad Gateway</body></html>", 502)))
    assert "\n" not in long
    assert len(long) < 400
    assert "502: a web page" in page


def test_a_providers_own_advice_replaces_ours() -> None:
    service = Service("A service", {}, {NotConfigured: "set A_KEY"})
    assert str(service.error(Problem(NotConfigured))) == "A service is not configured; set A_KEY"


@pytest.mark.parametrize(
    ("status", "said", "kind"),
    [
        (302, "", BadAnswer),
        (400, "", Rejected),
        (401, "", AuthFailed),
        (403, "", AuthFailed),
        (403, "Out of call volume quota. Retry after 15 days.", QuotaExceeded),
        (418, "", Rejected),
        (429, "Requests per minute", RateLimited),
        (429, "Requests per day", QuotaExceeded),
        (400, "a picture per day", Rejected),
        (500, "", Unavailable),
        (529, "", Unavailable),
    ],
)
def test_an_http_status_has_a_meaning(status: int, said: str, kind: type[ProviderError]) -> None:
    assert from_http(status, said, {}).kind is kind


def test_retry_after_in_seconds() -> None:
    assert retry_after({"retry-AFTER": "7"}) == 7


def test_retry_after_as_a_date() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)
    wait = retry_after({"Retry-After": soon})
    assert wait is not None
    assert 3000 < wait <= 3600


@pytest.mark.parametrize(
    ("value", "wait"), [("Mon, 01 Jan 2001 00:00:00 GMT", 0), ("soon", None), ("-5", None)]
)
def test_a_wait_that_is_over_or_unreadable(value: str, wait: float | None) -> None:
    assert retry_after({"Retry-After": value}) == wait


def test_no_retry_after() -> None:
    assert retry_after({"Content-Type": "text/html"}) is None
