"""One paid call to each cloud, and one with a wrong key, which is free; see docs/providers.md.

They run only when they are asked for (`pytest -m live`), so that nobody pays by running the suite.
"""

import json
import os
from typing import Any

import pytest

from digitrec.emulator.kit import drawn_seven
from digitrec.errors import AuthFailed
from digitrec.prepare import PREPARATIONS, prepare
from digitrec.prepare.encode import spec_for
from digitrec.providers.base import BaseProvider
from digitrec.providers.registry import provider_class

CLOUDS = ("google", "aws", "aws-textract", "azure", "azure-analysis", "azure-document", "openai")
pytestmark = [pytest.mark.live, pytest.mark.parametrize("cloud", CLOUDS)]


def settings_with_a_wrong_key(cloud: str) -> dict[str, Any]:
    if cloud == "google":
        return {"api_key": "wrong" * 8}
    if cloud.startswith("aws"):
        return {"access_key": "A" * 20, "secret_key": "wrong" * 8, "region": "us-east-1"}
    found: Any = provider_class(cloud)
    if cloud == "openai":
        return {"model": found.from_env(os.environ).model, "key": "wrong" * 8}
    return {"endpoint": found.from_env(os.environ).endpoint, "key": "0" * 32}


@pytest.fixture
def cls(cloud: str, request: pytest.FixtureRequest) -> type[BaseProvider]:
    """Return the provider's class; skip without live tests or its credentials."""
    if "live" not in request.config.option.markexpr:
        pytest.skip("asks a paid service: run `pytest -m live`")
    found: Any = provider_class(cloud)
    status = found.status(os.environ)
    if not (status.installed and status.configured):
        pytest.skip(f"no account for {cloud}: {'; '.join(status.missing)}")
    return found  # type: ignore[no-any-return]


def test_a_clean_seven_is_answered_in_every_preparation(cls: type[Any]) -> None:
    provider = cls.from_env(os.environ)
    for preparation in PREPARATIONS:
        answer = provider.read(prepare(drawn_seven(), spec_for(provider.wants, preparation)), timeout=30)
        assert json.loads(json.dumps(answer.raw)) == answer.raw
        assert all(0 <= one.score <= 1 for one in answer.candidates if one.score is not None)
    provider.close()


def test_a_wrong_key_is_refused(cls: type[Any], cloud: str) -> None:
    provider = cls(**settings_with_a_wrong_key(cloud))
    with pytest.raises(AuthFailed):
        provider.read(prepare(drawn_seven(), provider.wants), timeout=30)
    provider.close()
