"""What a provider does at a server that answers as no vendor should, as tests: through the real engine."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from unittest import SkipTest

from digitrec.emulator.faults import UNUSABLE, Fault, FaultQueue
from digitrec.emulator.kit.contract import LocalProviderContract
from digitrec.emulator.kit.tls import TlsServer
from digitrec.emulator.server import Server
from digitrec.emulator.vendors.base import Request, Response, Vendor
from digitrec.engine import Engine, Options, Reply
from digitrec.engine.config import Config
from digitrec.errors import (
    BadAnswer,
    DigitrecError,
    ProviderError,
    QuotaExceeded,
    RateLimited,
    TimedOut,
    Unavailable,
    Unreachable,
)
from digitrec.providers.base import Provider

ATTEMPTS = 2
"""How often the engine asks about the picture at most."""
RETRY_AFTER_S = 1
"""Seconds that the fault "429" asks the client to wait."""
SLACK_S = 5.0
"""A reply that is no later than this after the deadline may be a slow machine's."""


class Stranger(Vendor):
    """No vendor that anybody knows: a long empty document, and refusals without one."""

    name = engine = ""

    def __init__(self) -> None:
        """Nothing reads the pictures."""

    @classmethod
    def environment(cls, endpoint: str) -> dict[str, str]:
        """Nobody looks for it."""
        return {}

    def read(self, request: Request) -> Response:
        """A document of blanks, half of which is no document either."""
        return Response(200, b" " * 2_000, {"Content-Type": "application/json"})

    def failure(self, kind: str) -> Response:
        """A status and a word."""
        return Response(int(kind), b"Failed", {"Content-Type": "text/plain"})

    def without_field(self, request: Request) -> Response:
        """An empty object."""
        return Response.of_json(200, {})


def faulty(fault: str) -> Server:
    """A server at which every request meets a fault, see `Fault.parse`."""
    return Server(Stranger(), faults=FaultQueue([Fault.parse(fault)]))


@dataclass(frozen=True, slots=True)
class Met:
    """What came of a fault."""

    reply: Reply
    """The engine's reply."""
    error: DigitrecError
    """What it says."""
    complete: int
    """How many requests reached the server whole."""
    charged: float
    """For how many calls the engine has to account."""


class ProviderContract(LocalProviderContract):
    """What digitrec relies on; a provider that passes can be asked, retried, batched and compared.

    Define `provider`, and `provider_at` for one that asks elsewhere; they may be called several times. Set
    ``secrets`` to the keys you gave it.
    """

    fault_timeout: float = 4.0
    """Seconds allowed for one image where the server is faulty, > 0; the slowest fault takes all of them."""

    def provider_at(self, endpoint: str) -> Provider:
        """The same provider, asking at another address (http, on this machine)."""
        provider = self.provider()
        provider.close()
        if provider.endpoint is None:
            raise SkipTest(f"{provider.name} runs on this machine: there is no server to be faulty")
        raise AssertionError("define provider_at(endpoint): it asks elsewhere, and may meet a faulty server")

    def _meets(self, server: Server | TlsServer) -> Met:
        """Ask through the engine, and check what holds whatever the server does."""
        provider = self.provider_at(server.endpoint)
        assert provider.endpoint is not None, "provider_at must set the endpoint"
        options = Options(
            timeout=self.fault_timeout,
            attempt_timeout=self.fault_timeout,
            attempts=ATTEMPTS,
            ledger="none",
            config=Config(prices={provider.name: 1.0}),
        )
        before = server.complete
        engine = Engine(provider, options)
        try:
            (reply,) = engine.ask([self.image(provider)])
        finally:
            engine.close()
        complete = server.complete - before
        error, charged = reply.outcome, reply.cost_usd
        assert isinstance(error, DigitrecError), f"an answer came of what no vendor says: {error}"
        assert "this is a bug in it" not in str(error), f"none of our errors: {error}"
        assert isinstance(error, ProviderError), f"{type(error).__name__} is not for what a server does"
        assert reply.latency_s <= self.fault_timeout + SLACK_S, "the deadline was not kept"
        assert charged is not None
        assert charged <= complete, (
            f"{charged:g} calls are charged and {complete} requests were sent: where no connection came "
            "about raise Unreachable, where the vendor refused give its status"
        )
        self._shows_no_secret(error)
        return Met(reply, error, complete, charged)

    def _meets_tls(self, server: TlsServer) -> Met:
        """Skip the test where the provider asks without TLS."""
        try:
            return self._meets(server)
        except AssertionError:
            if server.asked_plainly:
                raise SkipTest("it asks an https address without TLS") from None
            raise

    def _shows_no_secret(self, error: ProviderError) -> None:
        shown = [repr(error), str(error), repr(error.raw), "".join(traceback.format_exception(error))]
        assert not [secret for secret in self.secrets if secret in "".join(shown)], "a secret shows"

    def _is_charged(self, met: Met) -> None:
        """A server that did not say that it failed may have charged: all it got, and no more."""
        assert met.charged == met.complete, (
            f"{met.complete} requests were sent and {met.charged:g} are charged: switch the SDK's own "
            "retries off, and give no status where the vendor gave none"
        )

    def test_nobody_there_is_unreachable_and_free(self) -> None:
        server = faulty("hang")
        server.stop()
        met = self._meets(server)
        assert isinstance(met.error, Unreachable)
        assert met.charged == 0

    def test_an_answer_that_drips_is_given_up_in_time(self) -> None:
        with faulty("drip:seconds=0.05") as server:
            met = self._meets(server)
        assert isinstance(met.error, TimedOut | Unavailable | BadAnswer)
        self._is_charged(met)

    def test_a_page_in_place_of_an_answer_is_a_bad_answer(self) -> None:
        with faulty("html") as server:
            met = self._meets(server)
        assert isinstance(met.error, BadAnswer)
        self._is_charged(met)

    def test_too_fast_is_rate_limited_free_and_waited_for(self) -> None:
        with faulty(f"429:after={RETRY_AFTER_S}") as server:
            met = self._meets(server)
        assert isinstance(met.error, RateLimited | QuotaExceeded)
        assert met.charged == 0
        if isinstance(met.error, RateLimited):
            assert met.error.retry_after == RETRY_AFTER_S, "Retry-After was not read"

    def test_a_busy_server_is_unavailable_free_and_asked_again(self) -> None:
        with faulty("503") as server:
            met = self._meets(server)
        assert isinstance(met.error, Unavailable)
        assert not isinstance(met.error, Unreachable)
        assert met.charged == 0, "a status is the vendor's word that nothing was done: give it to the error"
        assert met.reply.attempts == ATTEMPTS

    def test_a_redirect_is_not_followed_to_another_place(self) -> None:
        for status in (303, 307):
            stranger = faulty("html")
            redirect = faulty(f"redirect:status={status},to={stranger.endpoint}/taken")
            with stranger, redirect:
                met = self._meets(redirect)
            assert not stranger.complete, "it followed a redirect to another origin"
            assert isinstance(met.error, BadAnswer)

    def test_what_is_no_document_of_the_vendors_is_a_bad_answer(self) -> None:
        with faulty("unusable") as server:
            for number in range(len(UNUSABLE)):
                met = self._meets(server)
                assert isinstance(met.error, BadAnswer), (
                    f"{UNUSABLE[number]!r} gave {type(met.error).__name__}"
                )
                self._is_charged(met)

    def test_a_connection_cut_in_the_handshake_is_free(self) -> None:
        with TlsServer("cut") as server:
            met = self._meets_tls(server)
        assert met.charged == 0

    def test_an_alert_after_the_request_may_have_cost(self) -> None:
        with TlsServer("alert") as server:
            met = self._meets_tls(server)
        if not server.complete:
            raise SkipTest("it trusts neither SSL_CERT_FILE nor REQUESTS_CA_BUNDLE")
        assert not isinstance(met.error, Unreachable), "a request was sent"
        self._is_charged(met)

    def test_an_answer_that_breaks_off_is_an_error_that_may_have_cost(self) -> None:
        for fault in ("cut-off", "reset"):
            with faulty(fault) as server:
                met = self._meets(server)
            assert isinstance(met.error, BadAnswer | Unavailable | TimedOut)
            assert not isinstance(met.error, Unreachable), "a request was sent"
            self._is_charged(met)
