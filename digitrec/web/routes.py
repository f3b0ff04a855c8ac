"""The endpoints."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Annotated, Any, cast

from fastapi import FastAPI, Query, Request, Security
from fastapi.security import APIKeyHeader, HTTPBearer
from PIL import Image
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel
from starlette.responses import Response

from digitrec.answer import Failure
from digitrec.comparison import Comparison
from digitrec.image import DigitImage
from digitrec.web import problems, schemas, uploads
from digitrec.web.inference import State
from digitrec.web.problems import Problem, ProblemError
from digitrec.web.schemas import reading_of

THUMBNAIL = 512
"""Longest side of a picture that is shown or kept, px."""

Provider = Annotated[
    str | None,
    Query(description="Which engine to ask; by default the first at `/providers`.", examples=["local"]),
]
Compared = Annotated[
    list[str] | None,
    Query(
        description="An engine to ask; repeat it for each. By default all that cost nothing.",
        examples=[["local"]],
    ),
]
Digits = Annotated[
    str | None,
    Query(
        pattern=r"^[1-9]\d?(-[1-9]\d?)?$", examples=["4", "3-6"],
        description="How many digits each number has: one number, or the least and the most.",
    ),
]  # fmt: skip
Seen = Annotated[bool, Query(description="Also show the 28x28 picture that the network was given.")]
Inside = Annotated[
    bool, Query(description="Also show the feature maps of each layer, for each reading of the picture.")
]
Saliency = Annotated[
    bool, Query(description="Hide the ink piece by piece; without it the answer takes a few milliseconds.")
]


def add(app: FastAPI, state: State) -> None:
    """Add the endpoints to the app."""
    keyed = _described_keys(state)
    reading: Any = {
        "tags": ["read a digit"], "responses": schemas.PROBLEMS, "dependencies": keyed,
        "openapi_extra": schemas.PICTURES,
    }  # fmt: skip
    looking: Any = {"tags": ["look at a picture"], "openapi_extra": schemas.PICTURES}
    about: Any = {"tags": ["the server"]}

    @app.post("/predict", response_model=schemas.Reading | schemas.Readings, **reading)
    async def predict(request: Request, provider: Provider = None, seen: Seen = False) -> Response:
        """Say which digit is on a picture, or on each of several.

        Send the picture as the body, as a form's `file`, or as base64 in JSON. One picture is answered
        with a reading; several files, or a JSON list, with a list of them.
        """
        service = state.service(provider)
        pictures, is_list = await uploads.pictures(request, state.settings)
        readings = await service.read(request.state.client, pictures)
        if not is_list and isinstance(outcome := readings[0].outcome, Failure):
            return problems.from_error(outcome.error).response()
        found = [reading_of(one.outcome, one.prepared, seen=seen) for one in readings]
        return json(schemas.Readings(predictions=found) if is_list else found[0])

    @app.post("/v1/read", response_model=schemas.SheetBody, **reading | {"tags": ["read numbers"]})
    async def read(request: Request, provider: Provider = None, digits: Digits = None) -> Response:
        """Read the whole numbers on a picture, such as amounts, or the columns of a form.

        Send the picture as to `/predict`.
        """
        service = state.service(provider)
        picture = await one_picture(request, state)
        found = await service.numbers(request.state.client, picture, _expected(digits))
        if isinstance(found, Failure):
            raise found.error
        return json(schemas.sheet_of(found))

    @app.post("/compare", response_model=schemas.ComparisonBody, **reading)
    async def compare(request: Request, provider: Compared = None, seen: Seen = False) -> Response:
        """Ask several engines about one picture at the same time.

        Engines that cost money are asked only when they are named.
        """
        services = [state.service(name) for name in dict.fromkeys(provider or state.free())]
        picture = await one_picture(request, state)
        client = request.state.client
        readings = [
            one for (one,) in await asyncio.gather(*(each.read(client, [picture]) for each in services))
        ]
        outcomes = tuple(one.outcome for one in readings)
        found = Comparison(outcomes[0].image, tuple(service.name for service in services), outcomes)
        body = schemas.ComparisonBody(
            agree=found.agree, consensus=cast(int | None, found.consensus), emulated=found.emulated,
            readings=[reading_of(one.outcome, one.prepared, seen=seen) for one in readings],
        )  # fmt: skip
        return json(body)

    @app.post("/explain", response_model=schemas.ExplanationBody, responses=schemas.PROBLEMS, **looking)
    async def explain(
        request: Request, provider: Provider = None, inside: Inside = False, saliency: Saliency = True
    ) -> Response:
        """Say why: each step of the preparation, and which ink spoke for the digit.

        For our own network, and any on 28x28 pixels. It takes the time of some 800 readings, without
        `saliency` that of a few.
        """
        service = state.service(provider)
        picture = await one_picture(request, state)
        found = await service.explain(request.state.client, picture, inside=inside, hiding=saliency)
        return json(await asyncio.to_thread(schemas.explanation_of, found))  # it draws up to 50 pictures

    @app.post("/thumbnail", response_class=Response, responses=schemas.PNG | schemas.PROBLEMS, **looking)
    async def thumbnail(request: Request) -> Response:
        """Show the picture as it is read here: upright, opaque, at most 512 pixels long."""
        picture = await one_picture(request, state)
        return png(schemas.png(await small(request, state, picture)))

    @app.get("/health", **about)
    async def health() -> schemas.Health:
        """Say that the server is alive; it answers nothing before its model is loaded."""
        return schemas.Health(status="ok", model_loaded=True)

    @app.get(
        "/ready", responses={503: {"model": schemas.Ready, "description": "All places are taken."}}, **about
    )
    async def ready(response: Response) -> schemas.Ready:
        """Say whether a question would be let in now."""
        response.status_code = 503 if state.inside.full else 200
        return schemas.Ready(ready=not state.inside.full)

    @app.get("/providers", **about)
    async def providers() -> schemas.Providers:
        """List the engines on offer."""
        services = state.services.values()
        infos = [schemas.ProviderInfo.model_validate(one, from_attributes=True) for one in services]
        return schemas.Providers(
            providers=infos, key_needed=bool(state.settings.api_keys),
            collects=state.settings.collect is not None, max_body_bytes=state.settings.max_body_bytes,
        )  # fmt: skip

    @app.get(
        "/metrics", response_class=Response, responses={401: schemas.PROBLEMS[401]}, dependencies=keyed,
        **about,
    )  # fmt: skip
    async def metrics() -> Response:
        """Figures for Prometheus."""
        return Response(state.metrics.page(), media_type=CONTENT_TYPE_LATEST)


def _expected(digits: str | None) -> tuple[int, int] | None:
    """Return the least and the greatest number of digits.

    Raises:
        ProblemError: the least is greater.
    """
    if digits is None:
        return None
    least, _, most = digits.partition("-")
    if int(most or least) < int(least):
        raise ProblemError(Problem(422, "invalid-request", f"digits must be least-most, got {digits}"))
    return int(least), int(most or least)


def _described_keys(state: State) -> list[Any]:
    """Return what OpenAPI says about keys of an operation that needs one; `limits` asks for it."""
    if not state.settings.api_keys:
        return []
    schemes = APIKeyHeader(name="X-API-Key", auto_error=False), HTTPBearer(auto_error=False)
    return [Security(scheme) for scheme in schemes]


async def one_picture(request: Request, state: State) -> bytes:
    """Return the only picture of a request.

    Raises:
        ProblemError: there is none, or more than one.
    """
    pictures, _ = await uploads.pictures(request, state.settings)
    if len(pictures) > 1:
        raise ProblemError(Problem(422, "too-many", "one picture at a time, please"))
    return pictures[0]


async def small(request: Request, state: State, picture: bytes) -> Image.Image:
    """Return an encoded picture upright and opaque, its pixels alone, at most `THUMBNAIL` px long.

    Raises:
        ImageError: it cannot be read here.
    """
    return await state.lanes.run(request.state.client, picture, partial(_thumbnail, picture))


def _thumbnail(picture: bytes) -> Image.Image:
    return DigitImage.open(picture).thumbnail(THUMBNAIL)


def png(content: bytes) -> Response:
    """Return a PNG as an answer."""
    return Response(content, media_type="image/png")


def json(model: BaseModel) -> Response:
    """Return a model as an answer."""
    return Response(model.model_dump_json(), media_type="application/json")
