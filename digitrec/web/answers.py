"""From what an engine said to what the API says."""

from __future__ import annotations

import base64
import io

from digitrec.image import PreparedImage
from digitrec.prediction import Failure
from digitrec.recognise.pipeline import MaybePrepared
from digitrec.web import problems, schemas
from digitrec.web.reader import Reading


def answer(reading: Reading, *, seen: bool = False) -> schemas.Reading:
    """One reading; a failure has its problem in it.

    Args:
        seen: also show what the network was given.
    """
    outcome = reading.outcome
    picture = _seen(reading.place) if seen else None
    if isinstance(outcome, Failure):
        problem = schemas.ProblemBody(**problems.of(outcome.error).body())
        return schemas.Reading(
            prediction=None, confidence=None, probs=None, reason=None, calibrated=None, text=None,
            provider=outcome.provider, model_version=None, latency_s=outcome.latency_s,
            cost_usd=outcome.cost_usd, emulated=False, replayed=False, sha256=outcome.image.sha256,
            seen=picture, problem=problem, asked=[],
        )  # fmt: skip
    return schemas.Reading(
        prediction=outcome.digit, confidence=outcome.confidence,
        probs=None if outcome.probabilities is None else list(outcome.probabilities),
        reason=outcome.reason, calibrated=outcome.calibrated, text=outcome.text,
        provider=outcome.provider, model_version=outcome.model_version, latency_s=outcome.latency_s,
        cost_usd=outcome.cost_usd, emulated=outcome.emulated, replayed=outcome.replayed,
        sha256=outcome.image.sha256, seen=picture, problem=None,
        asked=[answer(Reading(said, None)) for said in outcome.asked],
    )  # fmt: skip


def _seen(place: MaybePrepared | None) -> str | None:
    """The 28x28 picture as a PNG data URL; None where no network of ours was given one."""
    if not isinstance(place, PreparedImage) or place.media_type != "image/x-mnist":
        return None
    png = io.BytesIO()
    place.picture().save(png, "PNG")
    return "data:image/png;base64," + base64.b64encode(png.getvalue()).decode()
