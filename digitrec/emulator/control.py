"""The control endpoint of every vendor's port: what this is, what it counted, which faults are pending."""

from __future__ import annotations

import json
from collections.abc import Mapping

from digitrec.emulator.faults import Fault, FaultQueue
from digitrec.emulator.vendors.base import Request, Response, Vendor
from digitrec.engine.detect import CONTROL_PATH, MARK


def answer(request: Request, vendor: Vendor, faults: FaultQueue, counts: Mapping[str, int]) -> Response:
    """The control endpoint's answer; a POST to its faults replaces them.

    Args:
        request: one whose path begins with `CONTROL_PATH`.
        vendor: whose port it came to.
        faults: those pending there.
        counts: what was counted there so far.
    """
    what = request.path.removeprefix(CONTROL_PATH).strip("/")
    if what == "":
        about = {"emulator": MARK, "vendor": vendor.name, "engine": vendor.reader.name}
        return Response.of_json(200, about)
    if what == "calls":
        return Response.of_json(200, counts)
    if what != "faults":
        return Response.of_json(
            404, {"error": f"no such address; there are {CONTROL_PATH}/calls and {CONTROL_PATH}/faults"}
        )
    if request.method == "POST":
        try:
            faults.set([check(vendor, Fault.parse(text)) for text in json.loads(request.body)])
        except (ValueError, TypeError, AttributeError, RecursionError) as error:
            message = f'send a JSON list of faults such as ["429:first=1"]: {error}'
            return Response.of_json(400, {"error": message})
    return Response.of_json(200, [str(fault) for fault in faults.pending()])


def check(vendor: Vendor, fault: Fault) -> Fault:
    """The fault, if it can befall this vendor.

    Raises:
        ValueError: it cannot.
    """
    if fault.kind == "endless-poll" and not vendor.polled:
        raise ValueError(f"{vendor.name} is not polled, so it has no endless-poll")
    return fault
