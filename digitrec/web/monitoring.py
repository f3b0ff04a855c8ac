"""Write log lines, never with an image, a key or a query string; and provide the metrics at ``/metrics``."""

import json
import logging
import sys
from datetime import UTC, datetime
from functools import partial

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from digitrec.answer import Failure, Outcome, Sheet, SheetOutcome

log = logging.getLogger("digitrec.web")


class JsonLines(logging.Formatter):
    """Formats a record as a JSON object: time, level, event, and ``extra={"fields": {...}}``."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line, with the traceback of an exception."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


def configure(level: str = "info") -> None:
    """Send the log lines of digitrec and uvicorn to stderr, except uvicorn's own line for each request.

    Args:
        level: the lowest level to log: "debug", "info" (each request), "warning" or "error".
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    for name in ("digitrec", "uvicorn"):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(level.upper())
        logger.propagate = False
    for name in ("uvicorn.access", "python_multipart.multipart"):  # the latter quotes bytes of the form
        logging.getLogger(name).disabled = True


SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Metrics:
    """The metrics of one server."""

    def __init__(self) -> None:
        registry = self._registry = CollectorRegistry()
        counter = partial(Counter, registry=registry)
        ProcessCollector(registry=registry)
        about = "Requests rejected at capacity."
        self.turned_away = counter("digitrec_http_turned_away", about)
        self.requests = counter("digitrec_http_requests", "Requests answered.", ["path", "status"])
        about = "From the head of a request to the end of its answer."
        name = "digitrec_http_request_seconds"
        self.seconds = Histogram(name, about, ["path"], buckets=SECONDS, registry=registry)
        about = "Requests at work or waiting."
        self.in_flight = Gauge("digitrec_http_requests_in_flight", about, registry=registry)
        about = "Pictures read, by result: a digit, numbers, refused or failed."
        self._readings = counter("digitrec_readings", about, ["provider", "result"])
        about = "US dollars spent, as far as prices are known."
        self._cost = counter("digitrec_cost_usd", about, ["provider"])

    def read(self, outcome: Outcome | SheetOutcome) -> None:
        """Count the outcome for one picture."""
        if isinstance(outcome, Failure):
            result = "failed"
        elif isinstance(outcome, Sheet):
            result = "numbers"
        else:
            result = "refused" if outcome.digit is None else str(outcome.digit)
        self._readings.labels(outcome.provider, result).inc()
        self._cost.labels(outcome.provider).inc(outcome.cost_usd or 0.0)

    def page(self) -> bytes:
        """Return all metrics in Prometheus' text format."""
        return generate_latest(self._registry)
