import importlib
import json
import traceback
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from digitrec.errors import TimedOut, Unavailable
from digitrec.providers import aws, google, rapidocr, tesseract
from digitrec.providers.translate import Problem, Rule, Service, box_around, problem_of, retry_after

MODULES = google, aws, rapidocr, tesseract
TABLES: Mapping[str, Mapping[str, Rule]] = {module.__name__: module.ERRORS for module in MODULES}


@pytest.mark.parametrize("provider", TABLES)
def test_every_name_in_a_table_is_an_exception_of_that_name(provider: str) -> None:
    for name in TABLES[provider]:
        module, _, qualname = name.rpartition(".")
        cls = getattr(importlib.import_module(module), qualname)
        assert issubclass(cls, Exception)
        assert f"{cls.__module__}.{cls.__qualname__}" == name


class Foreign(Exception):
    pass


class Closer(Foreign):
    pass


NAME = f"{Foreign.__module__}.Foreign"
SERVICE = Service("A service", {NAME: Unavailable, f"{Closer.__module__}.Closer": TimedOut})


def test_the_most_specific_class_decides() -> None:
    assert problem_of(Foreign(), SERVICE.errors) == Problem(Unavailable)
    assert problem_of(Closer(), SERVICE.errors) == Problem(TimedOut)


@pytest.mark.parametrize("quoted", ["data:image/png;base64," + "iVBORw0" * 9, "\xff\xd8\0\x10iVBOR"])
def test_a_picture_that_a_vendor_quotes_is_not_shown(quoted: str) -> None:
    assert "iVBOR" not in str(SERVICE.error(Problem(Unavailable, f"wrong value: {quoted}")))


def test_an_unlisted_exception_passes_through() -> None:
    with pytest.raises(ZeroDivisionError), SERVICE.translated():
        raise ZeroDivisionError


def test_no_exception_that_held_a_secret_is_shown_in_the_traceback() -> None:
    key = "-".join(["a", "planted", "key"])
    with pytest.raises(Unavailable) as caught, SERVICE.translated([key]):
        try:
            raise ValueError(key)
        except ValueError as error:
            raise Foreign("gone") from error
    assert key not in "".join(traceback.format_exception(caught.value))


def test_retry_after_as_a_date() -> None:
    wait = retry_after({"Retry-After": format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)})
    assert wait is not None and 3000 < wait <= 3600
    past = "Mon, 01 Jan 2001 00:00:00 GMT"
    assert retry_after({"Retry-After": past}) == 0
    assert retry_after({"Retry-After": past, "Date": "Sun, 31 Dec 2000 23:59:30 GMT"}) == 30


WAITS = st.sampled_from(["soon", "-5", "inf", "9" * 400, "1e9", "Mon, 01 Jan 99999999 00:00:00 GMT",
                         "Mon, 01 Jan 2001 00:00:00 +99999999999"])  # fmt: skip


@given(WAITS | st.text() | st.text("0123456789:, +-GMTJanMonFe", max_size=40))
def test_any_retry_after_is_a_wait_or_none(value: str) -> None:
    wait = retry_after({"Retry-After": value})
    assert wait is None or 0 <= wait < inf


def test_a_box_is_the_same_text_before_and_after_it_is_recorded() -> None:
    assert json.dumps(box_around([(0, 0), (240.0, 9)])) == "[0.0, 0.0, 240.0, 9.0]"
