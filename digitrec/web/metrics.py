"""The figures at ``/metrics`` for Prometheus; each label has few values."""

from __future__ import annotations

from functools import partial

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    generate_latest,
)

from digitrec.answer.prediction import Failure, Outcome

SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
PICTURES = (1, 2, 4, 8, 16, 32, 64)


class Metrics:
    """The figures of one server."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        counter = partial(Counter, registry=self._registry)
        histogram = partial(Histogram, registry=self._registry)
        ProcessCollector(registry=self._registry)
        self.turned_away = counter(
            "digitrec_http_turned_away", "Requests rejected at capacity before being read."
        )
        self.requests = counter("digitrec_http_requests", "Requests answered.", ["path", "status"])
        about = "From the head of a request to the end of its answer."
        self.seconds = histogram("digitrec_http_request_seconds", about, ["path"], buckets=SECONDS)
        about = "Requests at work or waiting."
        self.in_flight = Gauge("digitrec_http_requests_in_flight", about, registry=self._registry)
        about = "Pictures in one pass through an engine."
        self.batch = histogram("digitrec_batch_pictures", about, ["provider"], buckets=PICTURES)
        about = "Pictures read, by result: a digit, refused or failed."
        self._readings = counter("digitrec_readings", about, ["provider", "result"])
        about = "US dollars spent, as far as prices are known."
        self._cost = counter("digitrec_cost_usd", about, ["provider"])

    def read(self, outcome: Outcome) -> None:
        """Count the outcome for one picture."""
        refused = not isinstance(outcome, Failure) and outcome.digit is None
        result = "failed" if isinstance(outcome, Failure) else "refused" if refused else str(outcome.digit)
        self._readings.labels(outcome.provider, result).inc()
        self._cost.labels(outcome.provider).inc(outcome.cost_usd or 0.0)

    def page(self) -> bytes:
        """Return all figures in Prometheus' text format."""
        return generate_latest(self._registry)
