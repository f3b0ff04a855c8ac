"""Azure's operations: a picture is posted, and its reading is fetched by polling."""

from __future__ import annotations

import math
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar

from digitrec.emulator.credentials import Credentials
from digitrec.emulator.engines import Reader
from digitrec.emulator.vendors.azure_resource import AzureVendor, error
from digitrec.emulator.vendors.base import Request, Response

STEPS = ("notStarted", "running")
"""What the first polls of an operation hear; the next one hears "succeeded"."""
STATUSES = {"endless-poll": "running", "failed-poll": "failed", "unknown-poll": "skipped"}
"""What a poll hears that meets a fault."""
DONE_AFTER_S = 1.0
"""An operation this old is done, however often it was polled: Azure asks for one poll a second or two."""
KEPT = 1000
"""How many operations are remembered, the newest ones."""


@dataclass(slots=True)
class _Operation:
    """A reading that waits to be fetched."""

    result: Mapping[str, Any]
    created: str
    ordered_at: float
    polls: int = 0


class PolledVendor(AzureVendor):
    """A service of Azure whose readings are ordered first and fetched later."""

    polled = True
    kept_s: ClassVar[float]
    """How long an operation is remembered, in seconds."""

    def __init__(self, reader: Reader, credentials: Credentials) -> None:
        super().__init__(reader, credentials)
        self._lock = threading.Lock()
        self._operations: OrderedDict[str, _Operation] = OrderedDict()

    def without_field(self, request: Request) -> Response:
        """For a picture a 202 without Operation-Location; for a poll {}."""
        if self.is_poll(request):
            return Response.of_json(200, {})
        return Response(202)

    def polled_as(self, kind: str) -> Response:
        """An operation that is still running, has failed, or is of a status that nobody knows."""
        now = _now()
        body: dict[str, Any] = {"status": STATUSES[kind], "createdDateTime": now, "lastUpdatedDateTime": now}
        if kind == "failed-poll":
            body["error"] = {"code": "InternalServerError", "message": "An unexpected error occurred."}
        return Response.of_json(200, body)

    def ordered(self, request: Request, address: str, result: Mapping[str, Any], query: str = "") -> Response:
        """The 202 that says where the result will be: at the address and the number that follows it."""
        number = str(uuid.uuid4())
        with self._lock:
            self._operations[number] = _Operation(result, _now(), time.monotonic())
            if len(self._operations) > KEPT:
                self._operations.popitem(last=False)
        location = f"http://{request.headers.get('host', '')}{address}{number}{query}"
        return Response(202, headers={"Operation-Location": location}, billed=1)

    def looked_at(self, number: str) -> Response:
        """The state of an operation."""
        with self._lock:
            operation = self._operations.get(number)
            age_s = time.monotonic() - operation.ordered_at if operation else math.inf
            if operation is None or age_s > self.kept_s:
                return error(404, "NotFound", "The operation is not known, or its result has expired.")
            step = operation.polls
            operation.polls += 1
        times = {"createdDateTime": operation.created, "lastUpdatedDateTime": _now()}
        if step < len(STEPS) and age_s < DONE_AFTER_S:
            return Response.of_json(200, {"status": STEPS[step], **times})
        return Response.of_json(200, {"status": "succeeded", **times, **operation.result})

    def forgotten(self, number: str) -> Response:
        """The answer to the deletion of an operation's result."""
        with self._lock:
            self._operations.pop(number, None)
        return Response(204)


def _now() -> str:
    return f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
