"""Our own network as a provider."""

from __future__ import annotations

from pathlib import Path

import pytest

from digitrec.errors import ModelError
from digitrec.providers.base import Provider
from digitrec.providers.local import Local
from digitrec.testing import ProviderContract


class TestLocal(ProviderContract):
    def provider(self) -> Provider:
        return Local()


def test_the_model_may_be_named_by_a_variable() -> None:
    with pytest.raises(ModelError, match="elsewhere"):
        Local.from_env({"DIGITREC_MODEL": "elsewhere.tflite"})


def test_it_answers_with_ten_probabilities_and_its_version() -> None:
    from digitrec.models import store
    from digitrec.prepare import prepare
    from digitrec.testing import drawn_seven

    provider = Local(model=Path(store.SHIPPED))
    answer = provider.read(prepare(drawn_seven(), provider.wants), timeout=1)
    assert answer.probabilities is not None
    assert answer.candidates[0].text == "7"
    assert answer.candidates[0].score == max(answer.probabilities)
    assert answer.model_version == store.load().version
