"""The endpoints."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Security
from fastapi.security import APIKeyHeader, HTTPBearer
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel
from starlette.responses import Response

from digitrec.answer.prediction import Failure
from digitrec.comparison import Comparison
from digitrec.web import explaining, problems, schemas, uploads
from digitrec.web.problems import Problem, ProblemError
from digitrec.web.schemas import reading_of
from digitrec.web.state import AppState

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
Seen = Annotated[bool, Query(description="Also show the 28x28 picture that the network was given.")]

Inside = Annotated[
    bool, Query(description="Also show the feature maps of each layer, for each reading of the picture.")
]

Saliency = Annotated[
    bool, Query(description="Hide the ink piece by piece; without it the answer takes a few milliseconds.")
]


def inference(state: AppState) -> APIRouter:
    """``/predict`` and ``/compare``."""
    router = APIRouter(tags=["read a digit"], responses=schemas.PROBLEMS, dependencies=_described_keys(state))

    @router.post(
        "/predict", response_model=schemas.Reading | schemas.Readings, openapi_extra=schemas.PICTURES
    )
    async def predict(request: Request, provider: Provider = None, seen: Seen = False) -> Response:
        """Say which digit is on a picture, or on each of several.

        Send the picture as the body, as a form's `file`, or as base64 in JSON. One picture is answered
        with a reading; several files, or a JSON list, with a list of them.
        """
        service = state.service(provider)
        pictures, is_list = await uploads.pictures(request, state.settings)
        readings = await service.read(request.state.client, pictures)
        if is_list:
            found = [reading_of(reading, seen=seen) for reading in readings]
            return json(schemas.Readings(predictions=found))
        outcome = readings[0].outcome
        if isinstance(outcome, Failure):
            return problems.from_error(outcome.error).response()
        return json(reading_of(readings[0], seen=seen))

    @router.post("/compare", response_model=schemas.ComparisonBody, openapi_extra=schemas.PICTURES)
    async def compare(request: Request, provider: Compared = None, seen: Seen = False) -> Response:
        """Ask several engines about one picture at the same time.

        Engines that cost money are asked only when they are named.
        """
        services = [state.service(name) for name in dict.fromkeys(provider or state.free())]
        picture = await one_picture(request, state)
        answers = await asyncio.gather(
            *(service.read(request.state.client, [picture]) for service in services)
        )
        readings = [of_one[0] for of_one in answers]
        outcomes = tuple(reading.outcome for reading in readings)
        found = Comparison(outcomes[0].image, tuple(service.name for service in services), outcomes)
        return json(
            schemas.ComparisonBody(
                agree=found.agree, consensus=found.consensus, emulated=found.emulated,
                readings=[reading_of(reading, seen=seen) for reading in readings],
            )
        )  # fmt: skip

    return router


def status(state: AppState) -> APIRouter:
    """What the server says of itself."""
    router = APIRouter(tags=["the server"])

    @router.get("/health")
    async def health() -> schemas.Health:
        """Say that the server is alive; it answers nothing before its model is loaded."""
        return schemas.Health(status="ok", model_loaded=True)

    @router.get("/ready", responses={503: {"model": schemas.Ready, "description": "All places are taken."}})
    async def ready(response: Response) -> schemas.Ready:
        """Say whether a question would be let in now."""
        response.status_code = 503 if state.inside.full else 200
        return schemas.Ready(ready=not state.inside.full)

    @router.get("/providers")
    async def providers() -> schemas.Providers:
        """List the engines on offer."""
        infos = [
            schemas.ProviderInfo(
                name=name,
                usd_per_picture=service.usd_per_picture,
                remote=service.remote,
                explains=service.explained is not None,
            )
            for name, service in state.services.items()
        ]
        settings = state.settings
        return schemas.Providers(
            providers=infos, key_needed=bool(settings.api_keys), max_body_bytes=settings.max_body_bytes,
            collects=state.collection is not None,
        )  # fmt: skip

    @router.get(
        "/metrics", response_class=Response, responses={401: schemas.PROBLEMS[401]},
        dependencies=_described_keys(state),
    )  # fmt: skip
    async def metrics() -> Response:
        """Figures for Prometheus."""
        return Response(state.metrics.page(), media_type=CONTENT_TYPE_LATEST)

    return router


def _described_keys(state: AppState) -> list[Any]:
    """What an operation that needs a key says of it in OpenAPI; `limits` asks for it."""
    if not state.settings.api_keys:
        return []
    schemes = APIKeyHeader(name="X-API-Key", auto_error=False), HTTPBearer(auto_error=False)
    return [Security(scheme) for scheme in schemes]


def looks(state: AppState) -> APIRouter:
    """``/explain`` and ``/thumbnail``."""
    router = APIRouter(tags=["look at a picture"], responses=schemas.PROBLEMS)

    @router.post("/explain", response_model=explaining.ExplanationBody, openapi_extra=schemas.PICTURES)
    async def explain(
        request: Request, provider: Provider = None, inside: Inside = False, saliency: Saliency = True
    ) -> Response:
        """Say why: each step of the preparation, and which ink spoke for the digit.

        For our own network, and any on 28x28 pixels. It takes the time of some 800 readings, without
        `saliency` that of a few.
        """
        service = state.service(provider)
        if service.explained is None:
            raise ProblemError(Problem(422, "no-explanation", f"{service.name} cannot be explained"))
        picture = await one_picture(request, state)
        client = request.state.client
        found = await state.looks.explain(client, picture, service.explained, inside=inside, hiding=saliency)
        return json(await asyncio.to_thread(explaining.explanation_of, found))  # it draws up to 50 pictures

    @router.post(
        "/thumbnail",
        response_class=Response,
        openapi_extra=schemas.PICTURES,
        responses={200: {"content": {"image/png": {}}, "description": "The picture."}},
    )
    async def thumbnail(request: Request) -> Response:
        """Show the picture as it is read here: upright, opaque, at most 512 pixels long."""
        picture = await one_picture(request, state)
        return png(schemas.png(await state.looks.thumbnail(request.state.client, picture)))

    return router


async def one_picture(request: Request, state: AppState) -> bytes:
    """The one picture of a request.

    Raises:
        ProblemError: there are several, or none.
    """
    pictures, _ = await uploads.pictures(request, state.settings)
    if len(pictures) > 1:
        raise ProblemError(Problem(422, "too-many", "one picture at a time, please"))
    return pictures[0]


def png(content: bytes) -> Response:
    """A PNG as an answer."""
    return Response(content, media_type="image/png")


def json(model: BaseModel) -> Response:
    """A model as an answer."""
    return Response(model.model_dump_json(), media_type="application/json")
