"""The endpoints of `digitrec serve --collect`: visitors label, the owner accepts or deletes."""

from __future__ import annotations

import asyncio
import hmac
from typing import Annotated, Any, Literal

from fastapi import Depends, FastAPI, Header, Query, Request
from PIL import Image
from starlette.responses import Response

from digitrec.answer.prediction import Prediction
from digitrec.image import DigitImage, InputSpec
from digitrec.prepare import prepare
from digitrec.web import clients, routes, schemas
from digitrec.web.collecting import Collection
from digitrec.web.limits import RateLimiter
from digitrec.web.problems import Problem, ProblemError
from digitrec.web.state import State

Digit = Annotated[
    Literal["0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "none"],
    Query(description="What the picture shows; none: no digit."),
]
Accept = Annotated[bool, Query(description="True: keep it as it is labelled; false: throw it away.")]

FULL = Problem(507, "collection-full", "no more pictures are kept here; thank you all the same")
BLANK = Problem(422, "blank-picture", "there is no ink on this picture; draw a digit, or label it none")
NO_OWNER = Problem(401, "no-owner-key", "send the owner's key as X-Owner-Key; it is in DIGITREC_OWNER_KEY")
GONE = Problem(404, "not-found", "there is no such picture any more")
MISSING: dict[int | str, dict[str, Any]] = {404: schemas.problem("There is no such picture.")}
REFUSED: dict[int | str, dict[str, Any]] = {
    401: schemas.problem("The owner's key is needed."),
    429: schemas.problem("Too many wrong keys from this client."),
}


def add(app: FastAPI, state: State, collection: Collection) -> None:
    """Add ``/label`` for visitors and ``/collected`` for the owner."""
    owners: Any = {"tags": ["for the owner"], "dependencies": [Depends(_owner(state))]}

    @app.post(
        "/label", response_model=schemas.Kept, openapi_extra=schemas.PICTURES, tags=["label a picture"],
        responses={**schemas.PROBLEMS, 507: schemas.problem("The collection is full.")},
    )  # fmt: skip
    async def label(request: Request, digit: Digit) -> Response:
        """Say which digit a picture shows, and have both kept.

        Kept are the pixels, at most 512 a side, the label, and what the engines here say that cost nothing.
        """
        picture = await routes.one_picture(request, state)
        small = await routes.small(request, state, picture)
        if digit != "none" and await asyncio.to_thread(_is_blank, small):
            raise ProblemError(BLANK)
        said = await _said(request, state, picture)
        if not await asyncio.to_thread(collection.add, small, digit, said):
            raise ProblemError(FULL)
        return routes.json(schemas.Kept(label=digit))

    @app.get("/collected", responses=REFUSED, **owners)
    def waiting() -> schemas.Labels:
        """List what visitors labelled and nobody has looked at, where engines dissent first."""
        return schemas.Labels.model_validate({"pictures": collection.waiting()}, from_attributes=True)

    @app.get(
        "/collected/{name}", response_class=Response, responses=schemas.PNG | REFUSED | MISSING, **owners
    )
    def picture(name: str) -> Response:
        """Show one of them."""
        content = collection.picture(name)
        if content is None:
            raise ProblemError(GONE)
        return routes.png(content)

    @app.put("/collected/{name}", status_code=204, responses=REFUSED | MISSING, **owners)
    def decide(name: str, accept: Accept) -> None:
        """Accept one as it is labelled, or throw it away."""
        if not collection.decide(name, accept=accept):
            raise ProblemError(GONE)


def _owner(state: State) -> Any:
    """Return a dependency that rejects requests without the owner's key."""
    settings = state.settings
    wrong_keys = RateLimiter(settings.wrong_keys_per_s, settings.wrong_keys)

    async def owner(request: Request, x_owner_key: Annotated[str, Header()] = "") -> None:
        key = settings.owner_key
        right = key is not None and hmac.compare_digest(x_owner_key.encode(), key.encode())
        if x_owner_key:
            address = clients.address(clients.peer(request.scope), request.headers, settings.proxies)
            wrong_keys.check(address, "too many wrong keys from your address; wait", take=not right)
        if not right:
            raise ProblemError(NO_OWNER)

    return owner


def _is_blank(picture: Image.Image) -> bool:
    """Return whether there is no ink on a picture."""
    return prepare(DigitImage.open(picture), InputSpec("mnist")).findings.reason == "blank"


async def _said(request: Request, state: State, picture: bytes) -> dict[str, str]:
    """Return the answer of each free engine; one that fails is left out."""
    services = [state.services[name] for name in state.free()]
    answers = await asyncio.gather(*(one.read(request.state.client, [picture]) for one in services))
    return {
        service.name: "none" if outcome.digit is None else str(outcome.digit)
        for service, (reading,) in zip(services, answers, strict=True)
        if isinstance(outcome := reading.outcome, Prediction)
    }
