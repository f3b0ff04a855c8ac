"""Schemathesis: every answer matches the API's OpenAPI description."""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from digitrec.web.answers import Answers
from digitrec.web.limits import INFERENCE_PATHS
from digitrec.web.settings import Settings

from .fakes import listening

NOT_TOLD_BY_A_SCHEMA = [positive_data_acceptance]
"""A schema cannot say whether bytes are a picture, so a valid request may be refused with 422."""
OPERATIONS = [
    ("/predict", "POST"), ("/v1/read", "POST"), ("/compare", "POST"), ("/health", "GET"), ("/ready", "GET"),
    ("/providers", "GET"), ("/metrics", "GET"), ("/explain", "POST"), ("/thumbnail", "POST"),
    ("/collected", "GET"), ("/collected/{name}", "GET"), ("/collected/{name}", "PUT"),
]  # fmt: skip


@pytest.fixture(scope="module")
def described(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Return the OpenAPI description of a real server."""
    kept = tmp_path_factory.mktemp("kept")
    (kept / "answers.jsonl").touch()
    answers = Answers(kept / "answers.jsonl", kept / "labelled", 1)
    with listening(settings=Settings(rate=1e6, burst=1_000_000, answers=answers, owner_key="mine")) as url:
        yield schemathesis.openapi.from_url(f"{url}/openapi.json")


def test_every_operation_is_tried(described: Any) -> None:
    found = {(one.ok().path, one.ok().method.upper()) for one in described.get_all_operations()}
    assert found == set(OPERATIONS)


def test_every_operation_that_reads_pictures_is_limited_and_wants_a_key(described: Any) -> None:
    """An endpoint missing from the limits would need no key."""
    reads = {one.ok().path for one in described.get_all_operations() if one.ok().method.upper() == "POST"}
    assert reads == INFERENCE_PATHS
    assert [it for it in reads if "maxItems" not in str(described.raw_schema["paths"][it])] == ["/predict"]


@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
@pytest.mark.parametrize(("path", "method"), OPERATIONS)
def test_every_answer_is_as_described(described: Any, path: str, method: str, mode: GenerationMode) -> None:
    @given(case=described[path][method].as_strategy(generation_mode=mode))
    @settings(max_examples=10, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    def ask(case: Any) -> None:
        case.call_and_validate(excluded_checks=NOT_TOLD_BY_A_SCHEMA)

    try:
        ask()
    except Unsatisfiable:
        assert mode is GenerationMode.NEGATIVE and not described[path][method].body  # nothing to get wrong
