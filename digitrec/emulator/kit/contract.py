"""What every provider keeps to, as tests."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from math import isclose
from typing import Any

from digitrec.answer import Answer, checked
from digitrec.emulator.kit.fake import drawn_seven
from digitrec.errors import NotConfigured, NotInstalled, ProviderError
from digitrec.image import PreparedImage
from digitrec.prepare import prepare
from digitrec.providers.base import BaseProvider, Provider, Resumable, Status
from digitrec.providers.registry import flaw_of


class LocalProviderContract:
    """The part of the contract that holds for a provider on this machine too, where no server can fail.

    Define `provider`; it may be called several times.
    """

    secrets: Sequence[str] = ()
    """Keys that may show nowhere."""
    timeout: float = 30.0
    """Seconds allowed for one image, > 0."""

    def provider(self) -> Provider:
        """A provider that can be asked."""
        raise NotImplementedError

    def image(self, provider: Provider) -> PreparedImage:
        """A picture of a 7 in the form that the provider wants."""
        return prepare(drawn_seven(), provider.wants)

    def _read(self) -> Answer:
        provider = self.provider()
        try:
            return provider.read(self.image(provider), timeout=self.timeout)
        finally:
            provider.close()

    def test_is_a_provider(self) -> None:
        provider = self.provider()
        assert isinstance(provider, Provider), "it lacks a member of digitrec.providers.base.Provider"
        assert provider.name
        assert flaw_of(provider) is None
        provider.close()

    def test_its_answer_can_be_used(self) -> None:
        checked(self._read())

    def test_candidates_have_text_and_a_score_between_0_and_1_or_none(self) -> None:
        for candidate in self._read().candidates:
            assert candidate.text
            assert candidate.score is None or 0 <= candidate.score <= 1

    def test_probabilities_are_ten_that_sum_to_1_or_none(self) -> None:
        probabilities = self._read().probabilities
        assert probabilities is None or len(probabilities) == 10
        assert probabilities is None or isclose(sum(probabilities), 1, abs_tol=1e-3)

    def test_the_raw_answer_can_be_kept_as_json(self) -> None:
        raw = self._read().raw
        assert json.loads(json.dumps(raw)) == raw

    def test_no_secret_shows(self) -> None:
        provider = self.provider()
        answer = provider.read(self.image(provider), timeout=self.timeout)
        shown = repr([provider, answer, provider.name, provider.endpoint])
        assert not [secret for secret in self.secrets if secret in shown]
        provider.close()

    def test_read_many_answers_each_image_in_its_place(self) -> None:
        provider = self.provider()
        image = self.image(provider)
        outcomes = provider.read_many([image, image, image], timeout=self.timeout)
        assert len(outcomes) == 3
        assert all(isinstance(outcome, Answer | ProviderError) for outcome in outcomes)
        assert provider.read_many([], timeout=self.timeout) == []
        provider.close()

    def test_what_is_no_picture_is_an_answer_or_our_error(self) -> None:
        provider = self.provider()
        if provider.wants.encoding != "mnist":  # those are 784 bytes whatever they mean
            broken = replace(self.image(provider), data=b"this is no picture")
            (outcome,) = provider.read_many([broken], timeout=self.timeout)
            assert isinstance(outcome, Answer | ProviderError)
        provider.close()

    def test_threads_may_share_it(self) -> None:
        provider = self.provider()
        image = self.image(provider)

        def texts(_: Any) -> list[str]:
            answer = provider.read(image, timeout=self.timeout)
            return [candidate.text for candidate in answer.candidates]

        with ThreadPoolExecutor(4) as threads:
            answers = list(threads.map(texts, range(8)))
        assert all(answer == answers[0] for answer in answers)
        provider.close()

    def test_an_empty_environment_is_enough_or_our_error(self) -> None:
        try:
            type(self.provider()).from_env({}).close()
        except (NotConfigured, NotInstalled) as error:
            assert str(error)

    def test_status_says_what_is_missing(self) -> None:
        cls = type(self.provider())
        status = cls.status({}) if issubclass(cls, BaseProvider) else Status(installed=True, configured=True)
        assert bool(status.missing) != (status.installed and status.configured)

    def test_close_may_be_called_twice(self) -> None:
        provider = self.provider()
        provider.close()
        provider.close()

    def test_what_is_ordered_is_fetched_by_its_token(self) -> None:
        provider = self.provider()
        if isinstance(provider, Resumable):
            token = provider.start(self.image(provider), timeout=self.timeout)
            assert isinstance(token, str) and token, "the token must be a text, to be kept in the ledger"
            assert not [secret for secret in self.secrets if secret in token]
            until = time.monotonic() + self.timeout
            answer = provider.poll(token, timeout=self.timeout)
            while not isinstance(answer, Answer):
                assert time.monotonic() < until, "what was ordered is never ready"
                time.sleep(max(provider.poll_s, answer or 0.0))
                answer = provider.poll(token, timeout=self.timeout)
            checked(answer)
        provider.close()
