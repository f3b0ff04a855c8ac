"""Contract tests for your own provider, and a fake provider for your program's tests.

`FakeProvider` returns scripted answers. `ProviderContract` holds the tests that every provider passes,
digitrec's own included. Subclass it in a test file, and pytest runs them:

    from digitrec.emulator.kit import ProviderContract

    class TestMine(ProviderContract):
        def provider(self):
            return Mine(endpoint="http://127.0.0.1:8001", key="test")

        def provider_at(self, endpoint):
            return Mine(endpoint=endpoint, key="test")

The tests ask `provider` about pictures. The engine also asks `provider_at` about pictures at the emulator's
server, which then fails in every way of `digitrec.emulator.faults`. A provider that runs on this machine has
no server: its tests subclass `LocalProviderContract`.
"""

import threading
import time
import traceback
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from unittest import SkipTest

import numpy as np

from digitrec import errors
from digitrec.answer import Answer, Candidate, checked
from digitrec.emulator.faults import UNUSABLE, Fault
from digitrec.emulator.server import Server
from digitrec.emulator.vendors.base import Stranger
from digitrec.engine import Engine, Options, Reply
from digitrec.engine.config import Config
from digitrec.errors import DigitrecError, ProviderError
from digitrec.image import DigitImage, InputSpec, PreparedImage
from digitrec.prepare import prepare
from digitrec.providers.base import FREE, BaseProvider, Price, Provider, Resumable, Status
from digitrec.providers.registry import flaw_of

__all__ = ["FakeProvider", "Line", "LocalProviderContract", "ProviderContract", "drawn_seven"]

Line = str | Answer | DigitrecError
"""The answer of a `FakeProvider` to one image: a text, a whole answer, or an error to raise."""


class FakeProvider(BaseProvider):
    """Returns the lines of a script, one for each image, again from the start at the end; thread-safe.

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
        """Store the script.

        Args:
            script: at least one line; a text such as "7" becomes one word with a score of 0.9, "" gives
                no word.
            latency_s: seconds before each line, >= 0; more than the timeout raises TimedOut.
            price, endpoint, wants, name: as for `digitrec.providers.base.Provider`.
        """
        self.name, self.wants, self.price, self.endpoint = name, wants, price, endpoint
        self.images: list[PreparedImage] = []
        self._script = list(script)
        if not self._script:
            raise ValueError("the script must have at least one line")
        self._latency_s = latency_s
        self._lock = threading.Lock()

    @property
    def calls(self) -> int:
        """Number of images read so far."""
        return len(self.images)

    def read(self, image: PreparedImage, *, timeout: float) -> Answer:
        """Return or raise the next line of the script."""
        with self._lock:
            line = self._script[len(self.images) % len(self._script)]
            self.images.append(image)
        time.sleep(min(self._latency_s, timeout))
        if self._latency_s > timeout:
            raise errors.TimedOut(f"the fake needs {self._latency_s:g} s; allow it more time")
        if isinstance(line, DigitrecError):
            raise line
        if isinstance(line, Answer):
            return line
        return Answer((Candidate(line, 0.9),) if line else (), raw={"text": line})


def drawn_seven() -> DigitImage:
    """Return a clean dark 7 on white, 96x96 pixels."""
    pixels = np.full((96, 96), 255, np.uint8)
    pixels[20:30, 28:68] = 0
    for row in range(30, 80):
        left = 60 - (row - 30) // 2
        pixels[row, left : left + 9] = 0
    return DigitImage.open(pixels)


# The contract

ATTEMPTS = 2
"""Maximum number of attempts of the engine."""
RETRY_AFTER_S = 1
"""Seconds that the fault "429" asks the client to wait."""
SLACK_S = 5.0
"""Seconds that a slow machine may need after the deadline."""


class LocalProviderContract:
    """The part of the contract that also holds for a provider on this machine, which has no server.

    Define `provider`; it may be called several times.
    """

    secrets: Sequence[str] = ()
    """Keys that must never be shown."""
    timeout: float = 30.0
    """Seconds for one image, > 0."""

    def provider(self) -> Provider:
        """Return a provider that is ready for requests."""
        raise NotImplementedError

    def image(self, provider: Provider) -> PreparedImage:
        """Return a picture of a 7 in the form that the provider wants."""
        return prepare(drawn_seven(), provider.wants)

    @contextmanager
    def _opened(self) -> Iterator[tuple[Provider, PreparedImage]]:
        with closing(self.provider()) as provider:
            yield provider, self.image(provider)

    def _shows_no_secret(self, *shown: object) -> None:
        assert not [secret for secret in self.secrets if secret in repr(shown)], "a secret shows"

    def test_is_a_provider(self) -> None:
        with self._opened() as (provider, _):
            flaw = flaw_of(provider)
            assert flaw is None, flaw
            assert provider.endpoint or provider.price == FREE, "its answers would be kept and reused"

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
                numbers = Engine(provider, options).for_numbers
            except (errors.NotConfigured, errors.NotInstalled) as error:
                raise SkipTest("it reads one digit only") from error
            assert numbers.provider.name == provider.name, "for_numbers changes the name"
            image = prepare(drawn_seven(), numbers.wants)
            (width, height), found = image.size, checked(numbers.provider.read(image, timeout=self.timeout))
            boxes = [one.box for one in found.candidates]
            boxes += [sign.box for one in found.candidates for sign in one.signs]
            for left, top, right, bottom in filter(None, boxes):
                inside = -1 <= left <= right <= width + 1 and -1 <= top <= bottom <= height + 1
                assert inside, "a box is not in pixels of the image that was sent"

    def test_what_is_no_picture_is_an_answer_or_our_error(self) -> None:
        with self._opened() as (provider, image):
            if provider.wants.encoding != "mnist":  # any 784 bytes are a valid picture
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
        except (errors.NotConfigured, errors.NotInstalled) as error:
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


def faulty(fault: str) -> Server:
    """Return a server that applies a fault to every request; see `Fault.parse`."""
    return Server(Stranger(), faults=[Fault.parse(fault)])


class ProviderContract(LocalProviderContract):
    """The tests for a provider with a server; digitrec can ask, retry, batch and compare one that passes.

    Define `provider`, and `provider_at` if it sends requests; they may be called several times. Set
    ``secrets`` to the keys that the provider was given.
    """

    fault_timeout: float = 4.0
    """Seconds for one image at a faulty server, > 0; the slowest fault uses all of them."""

    def provider_at(self, endpoint: str) -> Provider:
        """Return the same provider with another endpoint (http, on this machine)."""
        provider = self.provider()
        provider.close()
        if provider.endpoint is None:
            raise SkipTest(f"{provider.name} runs on this machine and has no server")
        raise AssertionError("define provider_at(endpoint): the provider has a server, which may fail")

    def _meets(
        self, server: Server, what: str, *expected: type[ProviderError], free: bool | None = None
    ) -> Reply:
        """Ask the engine about a picture at a faulty server, and check the error that comes of it.

        Args:
            server: the server.
            what: its fault, for messages.
            expected: the errors that the fault may become.
            free: whether no request is charged; else every request is charged, because without an error
                report it may have been billed; None: both are right.
        """
        provider = self.provider_at(server.endpoint)
        assert provider.endpoint is not None, "provider_at must set the endpoint"
        options = Options(
            timeout=self.fault_timeout,
            attempt_timeout=self.fault_timeout,
            attempts=ATTEMPTS,
            ledger="none",
            _config=Config(prices={provider.name: 1.0}),
        )
        before = server.complete
        with Engine(provider, options) as engine:
            (reply,) = engine.ask([self.image(provider)])
        complete, error, charged = server.complete - before, reply.outcome, reply.cost_usd
        assert isinstance(error, Exception), f"the provider returned an answer from a faulty server: {error}"
        assert "this is a bug in it" not in str(error), f"not a digitrec error: {error}"
        assert isinstance(error, expected), f"{what} must not become {error!r}"
        assert not (complete and isinstance(error, errors.Unreachable)), f"{what}: a request was sent"
        assert reply.latency_s <= self.fault_timeout + SLACK_S, "the deadline was exceeded"
        assert charged is not None
        least, most = complete if free is False else 0, 0 if free else complete
        assert least <= charged <= most, (
            f"{what}: {complete} requests were sent and {charged:g} are charged: switch off the SDK's own "
            "retries, raise Unreachable if no connection came about, and set a status if the vendor gave one"
        )
        self._shows_no_secret(error, str(error), error.raw, traceback.format_exception(error))
        return reply

    def _meets_fault(self, fault: str, *expected: type[ProviderError], free: bool | None = None) -> Reply:
        with faulty(fault) as server:
            return self._meets(server, fault, *expected, free=free)

    def test_nobody_there_is_unreachable_and_free(self) -> None:
        server = faulty("hang")
        server.stop()
        self._meets(server, "a closed port", errors.Unreachable, free=True)

    def test_a_page_in_place_of_an_answer_is_a_bad_answer(self) -> None:
        self._meets_fault("html", errors.BadAnswer, free=False)

    def test_too_fast_is_rate_limited_free_and_waited_for(self) -> None:
        reply = self._meets_fault(f"429:after={RETRY_AFTER_S}", errors.QuotaExceeded, free=True)
        if isinstance(reply.outcome, errors.RateLimited):
            assert reply.outcome.retry_after == RETRY_AFTER_S, "Retry-After was not read"

    def test_a_busy_server_is_unavailable_free_and_asked_again(self) -> None:
        reply = self._meets_fault("503", errors.Unavailable, free=True)
        assert reply.attempts == ATTEMPTS

    def test_a_redirect_is_not_followed_to_another_place(self) -> None:
        for status in (303, 307):
            with faulty("html") as stranger:
                self._meets_fault(f"redirect:status={status},to={stranger.endpoint}/taken", errors.BadAnswer)
                assert not stranger.complete, "it followed a redirect to another origin"

    def test_what_is_no_document_of_the_vendors_is_a_bad_answer(self) -> None:
        with faulty("unusable") as server:
            for document in UNUSABLE:
                self._meets(server, repr(document), errors.BadAnswer, free=False)

    def test_an_answer_that_breaks_off_or_drips_is_an_error_that_may_have_cost(self) -> None:
        for fault in ("cut-off", "reset", "drip:seconds=0.05"):
            self._meets_fault(fault, errors.BadAnswer, errors.Unavailable, errors.TimedOut, free=False)
