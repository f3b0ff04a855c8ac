"""Logs with one line per event; never an image, a key or a query string."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

log = logging.getLogger("digitrec.web")


class JsonLines(logging.Formatter):
    """Time, level, event, and the fields given as ``extra={"fields": {...}}``, as a JSON object."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line; it includes an exception's traceback."""
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            **getattr(record, "fields", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line)


class TextLines(logging.Formatter):
    """The same for people: time, level, event, and the fields as name=value."""

    def format(self, record: logging.LogRecord) -> str:
        """Return one line; an exception's traceback follows it."""
        when = datetime.fromtimestamp(record.created, UTC).isoformat(" ", timespec="seconds")[:19]
        fields = [f"{name}={json.dumps(value)}" for name, value in getattr(record, "fields", {}).items()]
        line = " ".join([when, record.levelname.lower(), json.dumps(record.getMessage())[1:-1], *fields])
        return f"{line}\n{self.formatException(record.exc_info)}" if record.exc_info else line


FORMATS: dict[str, type[logging.Formatter]] = {"json": JsonLines, "text": TextLines}


def configure(form: str = "json", level: str = "info") -> None:
    """Send our lines and uvicorn's to stderr, except uvicorn's own line for each request.

    Args:
        form: one of `FORMATS`.
        level: the lowest level to log: "debug", "info" (each request), "warning" or "error".
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(FORMATS[form]())
    for name in ("digitrec", "uvicorn"):
        logger = logging.getLogger(name)
        logger.handlers = [handler]
        logger.setLevel(level.upper())
        logger.propagate = False
    logging.getLogger("uvicorn.access").disabled = True
