"""The control door of every vendor's port: what this is, what it counted, and which faults are waiting."""

from __future__ import annotations

import json
from collections.abc import Mapping

from digitrec.emulator.fault_queue import FaultQueue
from digitrec.emulator.faults import Fault
from digitrec.emulator.protocol import Request, Response, Vendor
from digitrec.engine.detect import DOOR, MARK


def answer(request: Request, vendor: Vendor, faults: FaultQueue, counts: Mapping[str, int]) -> Response:
    """What is said at the door; a POST to its faults replaces them.

    Args:
        request: one whose path begins with `DOOR`.
        vendor: whose port it came to.
        faults: those that wait there.
        counts: what was counted there so far.
    """
    what = request.path.removeprefix(DOOR).strip("/")
    if what == "":
        about = {"emulator": MARK, "vendor": vendor.name, "engine": vendor.reader.name}
        return Response.of_json(200, about)
    if what == "calls":
        return Response.of_json(200, counts)
    if what != "faults":
        return Response.of_json(404, {"error": f"no such door; there are {DOOR}/calls and {DOOR}/faults"})
    if request.method == "POST":
        try:
            faults.set([check(vendor, Fault.parse(text)) for text in json.loads(request.body)])
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            message = f'send a JSON list of faults such as ["429:first=1"]: {error}'
            return Response.of_json(400, {"error": message})
    return Response.of_json(200, [str(fault) for fault in faults.waiting()])


def check(vendor: Vendor, fault: Fault) -> Fault:
    """The fault, if it can befall this vendor.

    Raises:
        ValueError: it cannot.
    """
    if fault.kind == "endless-poll" and not vendor.polled:
        raise ValueError(f"{vendor.name} is not polled, so it has no endless-poll")
    return fault
