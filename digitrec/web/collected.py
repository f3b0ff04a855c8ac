"""The endpoints of `digitrec serve --collect`: visitors label, the owner accepts or throws away."""

from __future__ import annotations

import asyncio
import hmac
from functools import partial
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Header, Query, Request
from PIL import Image
from starlette.responses import Response

from digitrec.answer.prediction import Prediction
from digitrec.image import DigitImage, InputSpec
from digitrec.prepare import prepare
from digitrec.web import clients, routes, schemas
from digitrec.web.clients import Client
from digitrec.web.collecting import Collection
from digitrec.web.limits import Guessing
from digitrec.web.problems import Problem, ProblemError
from digitrec.web.state import AppState

Digit = Annotated[
    Literal["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "none"],
    Query(description="What the picture shows; none: no digit."),
]
Accept = Annotated[bool, Query(description="True: keep it as it is labelled; false: throw it away.")]

FULL = Problem(507, "collection-full", "no more pictures are kept here; thank you all the same")
BLANK = Problem(422, "blank-picture", "there is no ink on this picture; draw a digit, or label it none")
NO_OWNER = Problem(401, "no-owner-key", "send the owner's key as X-Owner-Key; it is in DIGITREC_OWNER_KEY")
GONE = Problem(404, "not-found", "there is no such picture any more")


def labels(state: AppState, collection: Collection) -> APIRouter:
    """``/label``, for visitors."""
    router = APIRouter(tags=["label a picture"], responses=schemas.PROBLEMS)

    @router.post(
        "/label",
        response_model=schemas.Kept,
        openapi_extra=schemas.PICTURES,
        responses={507: schemas.problem("The collection is full.")},
    )
    async def label(request: Request, digit: Digit) -> Response:
        """Say which digit a picture shows, and have both kept.

        Kept are the pixels, at most 512 a side, the label, and what the engines here say that cost nothing.
        """
        picture = await routes.one_picture(request, state)
        client: Client = request.state.client
        small = await state.looks.thumbnail(client, picture)
        if digit != "none" and await asyncio.to_thread(_is_blank, small):
            raise ProblemError(BLANK)
        add = partial(collection.add, small, digit, await _said(state, client, picture))
        if not await asyncio.to_thread(add):
            raise ProblemError(FULL)
        return routes.json(schemas.Kept(label=digit))

    return router


def review(state: AppState, collection: Collection) -> APIRouter:
    """``/collected``, for the owner."""
    guessing = Guessing(state.settings)

    async def owner(request: Request, x_owner_key: Annotated[str, Header()] = "") -> None:
        key = state.settings.owner_key
        right = key is not None and hmac.compare_digest(x_owner_key.encode(), key.encode())
        if x_owner_key:
            peer = request.client.host if request.client else ""
            headers = clients.headers_of(request.headers.raw)
            guessing.check(clients.address(peer, headers, state.settings.proxies), right=right)
        if not right:
            raise ProblemError(NO_OWNER)

    router = APIRouter(
        tags=["for the owner"],
        dependencies=[Depends(owner)],
        responses={
            401: schemas.problem("The owner's key is needed."),
            429: schemas.problem("Too many wrong keys from this client."),
        },
    )
    missing: dict[int | str, dict[str, Any]] = {404: schemas.problem("There is no such picture.")}

    @router.get("/collected")
    def waiting() -> schemas.Labels:
        """List what visitors labelled and nobody has looked at, where engines dissent first."""
        found = [
            schemas.LabelledPicture(name=one.name, label=one.label, said=dict(one.said))
            for one in collection.waiting()
        ]
        return schemas.Labels(pictures=found)

    @router.get(
        "/collected/{name}",
        response_class=Response,
        responses={200: {"content": {"image/png": {}}, "description": "The picture."}, **missing},
    )
    def picture(name: str) -> Response:
        """Show one of them."""
        content = collection.picture(name)
        if content is None:
            raise ProblemError(GONE)
        return routes.png(content)

    @router.put("/collected/{name}", status_code=204, responses=missing)
    def decide(name: str, accept: Accept) -> None:
        """Accept one as it is labelled, or throw it away."""
        if not collection.decide(name, accept=accept):
            raise ProblemError(GONE)

    return router


def _is_blank(picture: Image.Image) -> bool:
    """Return whether there is no ink on a picture."""
    return prepare(DigitImage.open(picture), InputSpec("mnist")).findings.reason == "blank"


async def _said(state: AppState, client: Client, picture: bytes) -> dict[str, str]:
    """What each engine says that costs nothing; one that fails says nothing."""
    services = [state.services[name] for name in state.free()]
    answers = await asyncio.gather(*(service.read(client, [picture]) for service in services))
    return {
        service.name: str(outcome.digit) if outcome.digit is not None else "none"
        for service, (reading,) in zip(services, answers, strict=True)
        if isinstance(outcome := reading.outcome, Prediction)
    }
