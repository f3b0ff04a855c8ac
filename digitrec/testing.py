"""For people who write a provider, or test a program that asks one.

`FakeProvider` says what it was told to say. `ProviderContract` is the set of tests that every provider
passes, ours as well; subclass it in a test file of yours, and pytest runs them:

    from digitrec.testing import ProviderContract

    class TestMine(ProviderContract):
        def provider(self):
            return Mine(endpoint="http://127.0.0.1:8001", key="test")
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from math import isclose
from typing import Any, Self

import numpy as np

from digitrec.answer import Answer, Candidate
from digitrec.errors import DigitrecError, NotConfigured, NotInstalled, ProviderError, TimedOut
from digitrec.image import DigitImage, InputSpec, PreparedImage
from digitrec.prepare import prepare
from digitrec.providers.base import FREE, BaseProvider, Price, Provider, Status

Line = str | Answer | DigitrecError
"""What a `FakeProvider` says to one image: a text, a whole answer, or an error to raise."""


class FakeProvider(BaseProvider):
    """Says the lines of a script, one for each image, and from the top again; safe across threads.

    >>> fake = FakeProvider(["7", TimedOut("too slow"), Answer()])
    """

    def __init__(
        self,
        script: Sequence[Line] = ("7",),
        *,
        latency_s: float = 0.0,
        price: Price | None = FREE,
        endpoint: str | None = None,
        wants: InputSpec = InputSpec(encoding="png"),
        name: str = "fake",
    ) -> None:
        """Learn the script.

        Args:
            script: at least one line; a text "7" is answered as one word with a score of 0.9.
            latency_s: seconds before each line, >= 0; with more than the timeout it is TimedOut instead.
            price, endpoint, wants, name: as `digitrec.providers.base.Provider` says.
        """
        self.name, self.wants, self.price, self.endpoint = name, wants, price, endpoint
        self.images: list[PreparedImage] = []
        self._script = list(script)
        self._latency_s = latency_s
        self._lock = threading.Lock()

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Self:
        """One that says "7"."""
        return cls()

    @property
    def calls(self) -> int:
        """How many images it was asked about so far."""
        return len(self.images)

    def read(self, image: PreparedImage, *, timeout: float) -> Answer:
        """The next line of the script."""
        with self._lock:
            line = self._script[len(self.images) % len(self._script)]
            self.images.append(image)
        time.sleep(min(self._latency_s, timeout))
        if self._latency_s > timeout:
            raise TimedOut("the fake was told to be slow; allow it more time")
        if isinstance(line, DigitrecError):
            raise line
        return line if isinstance(line, Answer) else Answer((Candidate(line, 0.9),), raw={"text": line})


def drawn_seven() -> DigitImage:
    """A clean dark 7 on white, 96x96."""
    pixels = np.full((96, 96), 255, np.uint8)
    pixels[20:30, 28:68] = 0
    for row in range(30, 80):
        left = 60 - (row - 30) // 2
        pixels[row, left : left + 9] = 0
    return DigitImage.open(pixels)


class ProviderContract:
    """What digitrec relies on; a provider that passes can be asked, retried, batched and compared.

    Define `provider`; it may be called several times. Set ``secrets`` to the keys you gave it.
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
        assert provider.price is None or provider.price.usd >= 0
        provider.close()

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
