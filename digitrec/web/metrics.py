"""The figures at ``/metrics`` for Prometheus; each label has few values."""

from __future__ import annotations

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


class Metrics:
    """The figures of one server."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self.turned_away = Counter(
            "digitrec_http_turned_away", "Requests rejected at capacity before being read.",
            registry=self._registry,
        )  # fmt: skip
        self.requests = Counter(
            "digitrec_http_requests", "Requests answered.", ["path", "status"], registry=self._registry
        )
        self.seconds = Histogram(
            "digitrec_http_request_seconds", "From the head of a request to the end of its answer.",
            ["path"], buckets=SECONDS, registry=self._registry,
        )  # fmt: skip
        self.in_flight = Gauge(
            "digitrec_http_requests_in_flight", "Requests at work or waiting.", registry=self._registry
        )
        self.batch = Histogram(
            "digitrec_batch_pictures", "Pictures in one pass through an engine.", ["provider"],
            buckets=(1, 2, 4, 8, 16, 32, 64), registry=self._registry,
        )  # fmt: skip
        self._readings = Counter(
            "digitrec_readings", "Pictures read, by what was read: a digit, refused or failed.",
            ["provider", "result"], registry=self._registry,
        )  # fmt: skip
        self._cost = Counter(
            "digitrec_cost_usd", "US dollars spent, as far as prices are known.", ["provider"],
            registry=self._registry,
        )  # fmt: skip

    def read(self, outcome: Outcome) -> None:
        """Count what became of one picture."""
        refused = not isinstance(outcome, Failure) and outcome.digit is None
        result = "failed" if isinstance(outcome, Failure) else "refused" if refused else str(outcome.digit)
        self._readings.labels(outcome.provider, result).inc()
        self._cost.labels(outcome.provider).inc(outcome.cost_usd or 0.0)

    def page(self) -> bytes:
        """All figures in Prometheus' text format."""
        return generate_latest(self._registry)
