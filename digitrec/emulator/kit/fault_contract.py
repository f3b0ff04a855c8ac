"""Contract tests at a faulty server: the provider is asked through the real engine."""

from __future__ import annotations

import traceback
from dataclasses import dataclass
from unittest import SkipTest

from digitrec.emulator.faults import UNUSABLE, Fault, FaultQueue
from digitrec.emulator.kit.contract import LocalProviderContract
from digitrec.emulator.kit.tls import TlsServer
from digitrec.emulator.server import Server
from digitrec.emulator.vendors.stranger import Stranger
from digitrec.engine import Engine, Options, Reply
from digitrec.engine.config import Config
from digitrec.errors import (
    BadAnswer,
    ProviderError,
    QuotaExceeded,
    RateLimited,
    TimedOut,
    Unavailable,
    Unreachable,
)
from digitrec.providers.base import Provider

ATTEMPTS = 2
"""Most attempts of the engine."""
RETRY_AFTER_S = 1
"""Seconds that the fault "429" asks the client to wait."""
SLACK_S = 5.0
"""Seconds after the deadline that a slow machine may need."""


def faulty(fault: str) -> Server:
    """Return a server at which every request meets a fault, see `Fault.parse`."""
    return Server(Stranger(), faults=FaultQueue([Fault.parse(fault)]))


@dataclass(frozen=True, slots=True)
class Met:
    """The result of asking a faulty server."""

    reply: Reply
    """The engine's reply."""
    error: ProviderError
    """The error in it."""
    complete: int
    """How many requests reached the server whole."""
    charged: float
    """How many calls the engine charges."""

    def is_charged(self) -> None:
        """Check that every request is charged: a server that does not report a failure may have billed it."""
        assert self.charged == self.complete, (
            f"{self.complete} requests were sent and {self.charged:g} are charged: switch the SDK's own "
            "retries off, and set a status only if the vendor gave one"
        )


class ProviderContract(LocalProviderContract):
    """What digitrec relies on; a provider that passes can be asked, retried, batched and compared.

    Define `provider`, and `provider_at` if it sends requests; they may be called several times. Set
    ``secrets`` to the keys that you gave it.
    """

    fault_timeout: float = 4.0
    """Seconds for one image at a faulty server, > 0; the slowest fault takes all of them."""

    def provider_at(self, endpoint: str) -> Provider:
        """Return the same provider with another endpoint (http, on this machine)."""
        provider = self.provider()
        provider.close()
        if provider.endpoint is None:
            raise SkipTest(f"{provider.name} runs on this machine and has no server")
        raise AssertionError("define provider_at(endpoint): the provider has a server, which may fail")

    def _meets(self, server: Server) -> Met:
        """Ask through the engine, and check what holds for every fault."""
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
        engine = Engine(provider, options)
        try:
            (reply,) = engine.ask([self.image(provider)])
        finally:
            engine.close()
        complete, error, charged = server.complete - before, reply.outcome, reply.cost_usd
        assert isinstance(error, Exception), f"an answer came from a faulty server: {error}"
        assert "this is a bug in it" not in str(error), f"not a digitrec error: {error}"
        assert isinstance(error, ProviderError), f"{type(error).__name__} is not for a server's fault"
        assert reply.latency_s <= self.fault_timeout + SLACK_S, "the deadline was exceeded"
        assert charged is not None
        assert charged <= complete, (
            f"{charged:g} calls are charged and {complete} requests were sent: raise Unreachable if no "
            "connection came about, and give the status if the vendor rejected the request"
        )
        self._shows_no_secret(error, str(error), error.raw, traceback.format_exception(error))
        return Met(reply, error, complete, charged)

    def _meets_fault(self, fault: str) -> Met:
        with faulty(fault) as server:
            return self._meets(server)

    def _meets_tls(self, server: TlsServer) -> Met:
        """Skip the test if the provider asks without TLS."""
        with server:
            try:
                return self._meets(server)
            except AssertionError:
                if server.asked_plainly:
                    raise SkipTest("it asks an https address without TLS") from None
                raise

    def test_nobody_there_is_unreachable_and_free(self) -> None:
        server = faulty("hang")
        server.stop()
        met = self._meets(server)
        assert isinstance(met.error, Unreachable)
        assert met.charged == 0

    def test_an_answer_that_drips_is_given_up_in_time(self) -> None:
        met = self._meets_fault("drip:seconds=0.05")
        assert isinstance(met.error, TimedOut | Unavailable | BadAnswer)
        met.is_charged()

    def test_a_page_in_place_of_an_answer_is_a_bad_answer(self) -> None:
        met = self._meets_fault("html")
        assert isinstance(met.error, BadAnswer)
        met.is_charged()

    def test_too_fast_is_rate_limited_free_and_waited_for(self) -> None:
        met = self._meets_fault(f"429:after={RETRY_AFTER_S}")
        assert isinstance(met.error, RateLimited | QuotaExceeded)
        assert met.charged == 0
        if isinstance(met.error, RateLimited):
            assert met.error.retry_after == RETRY_AFTER_S, "Retry-After was not read"

    def test_a_busy_server_is_unavailable_free_and_asked_again(self) -> None:
        met = self._meets_fault("503")
        assert isinstance(met.error, Unavailable)
        assert not isinstance(met.error, Unreachable)
        assert met.charged == 0, "a status is the vendor's word that nothing was done: give it to the error"
        assert met.reply.attempts == ATTEMPTS

    def test_a_redirect_is_not_followed_to_another_place(self) -> None:
        for status in (303, 307):
            with faulty("html") as stranger:
                met = self._meets_fault(f"redirect:status={status},to={stranger.endpoint}/taken")
                assert not stranger.complete, "it followed a redirect to another origin"
            assert isinstance(met.error, BadAnswer)

    def test_what_is_no_document_of_the_vendors_is_a_bad_answer(self) -> None:
        with faulty("unusable") as server:
            for document in UNUSABLE:
                met = self._meets(server)
                assert isinstance(met.error, BadAnswer), f"{document!r} gave {type(met.error).__name__}"
                met.is_charged()

    def test_a_connection_cut_in_the_handshake_is_free(self) -> None:
        assert self._meets_tls(TlsServer("cut")).charged == 0

    def test_an_alert_after_the_request_may_have_cost(self) -> None:
        met = self._meets_tls(TlsServer("alert"))
        if not met.complete:
            raise SkipTest("it trusts neither SSL_CERT_FILE nor REQUESTS_CA_BUNDLE")
        assert not isinstance(met.error, Unreachable), "a request was sent"
        met.is_charged()

    def test_an_answer_that_breaks_off_is_an_error_that_may_have_cost(self) -> None:
        for fault in ("cut-off", "reset"):
            met = self._meets_fault(fault)
            assert isinstance(met.error, BadAnswer | Unavailable | TimedOut)
            assert not isinstance(met.error, Unreachable), "a request was sent"
            met.is_charged()
