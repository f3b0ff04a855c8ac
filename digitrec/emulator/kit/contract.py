"""What every provider must do, as tests."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from unittest import SkipTest

from digitrec.answer import Answer, checked
from digitrec.emulator.kit.fake import drawn_seven
from digitrec.engine import Engine, Options
from digitrec.engine.config import Config
from digitrec.errors import NotConfigured, NotInstalled, ProviderError
from digitrec.image import PreparedImage
from digitrec.prepare import prepare
from digitrec.providers.base import BaseProvider, Provider, Resumable, Status
from digitrec.providers.registry import flaw_of


class LocalProviderContract:
    """The part of the contract that also holds for a provider on this machine, which has no server.

    Define `provider`; it may be called several times.
    """

    secrets: Sequence[str] = ()
    """Keys that must not show."""
    timeout: float = 30.0
    """Seconds for one image, > 0."""

    def provider(self) -> Provider:
        """Return a provider that can be asked."""
        raise NotImplementedError

    def image(self, provider: Provider) -> PreparedImage:
        """Return a picture of a 7 in the form that the provider wants."""
        return prepare(drawn_seven(), provider.wants)

    @contextmanager
    def _opened(self) -> Iterator[tuple[Provider, PreparedImage]]:
        provider = self.provider()
        try:
            yield provider, self.image(provider)
        finally:
            provider.close()

    def _shows_no_secret(self, *shown: object) -> None:
        assert not [secret for secret in self.secrets if secret in repr(shown)], "a secret shows"

    def test_is_a_provider(self) -> None:
        with self._opened() as (provider, _):
            assert isinstance(provider, Provider), "it lacks a member of digitrec.providers.base.Provider"
            assert provider.name
            assert flaw_of(provider) is None

    def test_its_answer_can_be_used_and_shows_no_secret(self) -> None:
        with self._opened() as (provider, image):
            answer = checked(provider.read(image, timeout=self.timeout))
            self._shows_no_secret(provider, answer, provider.name, provider.endpoint)

    def test_read_many_answers_each_image_in_its_place(self) -> None:
        with self._opened() as (provider, image):
            outcomes = provider.read_many([image, image, image], timeout=self.timeout)
            assert len(outcomes) == 3
            assert all(isinstance(outcome, Answer | ProviderError) for outcome in outcomes)
            assert provider.read_many([], timeout=self.timeout) == []

    def test_numbers_have_their_places_on_the_picture_that_was_sent(self) -> None:
        with self._opened() as (provider, _):
            options = Options(ledger="none", _config=Config())
            try:
                numbers = Engine(provider, options).for_numbers.provider
            except (NotConfigured, NotInstalled) as error:
                raise SkipTest("it reads one digit only") from error
            assert numbers.name == provider.name, "for_numbers changes the name"
            image = prepare(drawn_seven(), numbers.wants)
            (width, height), found = image.size, checked(numbers.read(image, timeout=self.timeout))
            boxes = [one.box for one in found.candidates]
            boxes += [sign.box for one in found.candidates for sign in one.signs]
            for left, top, right, bottom in filter(None, boxes):
                inside = -1 <= left <= right <= width + 1 and -1 <= top <= bottom <= height + 1
                assert inside, "a box is not in pixels of the image that was sent"

    def test_what_is_no_picture_is_an_answer_or_our_error(self) -> None:
        with self._opened() as (provider, image):
            if provider.wants.encoding != "mnist":  # any 784 bytes are a picture
                broken = replace(image, data=b"this is no picture")
                (outcome,) = provider.read_many([broken], timeout=self.timeout)
                assert isinstance(outcome, Answer | ProviderError)

    def test_threads_may_share_it(self) -> None:
        with self._opened() as (provider, image), ThreadPoolExecutor(4) as threads:
            answers = list(threads.map(lambda _: provider.read(image, timeout=self.timeout), range(8)))
        texts = [[candidate.text for candidate in answer.candidates] for answer in answers]
        assert all(found == texts[0] for found in texts)

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
        with self._opened() as (provider, image):
            if isinstance(provider, Resumable):
                token = provider.start(image, timeout=self.timeout)
                assert isinstance(token, str) and token, "the ledger keeps the token: it must be a text"
                self._shows_no_secret(token)
                until = time.monotonic() + self.timeout
                while not isinstance(answer := provider.poll(token, timeout=self.timeout), Answer):
                    assert time.monotonic() < until, "the order is never ready"
                    time.sleep(max(provider.poll_s, answer or 0.0))
                checked(answer)
