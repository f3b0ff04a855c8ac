"""The application: the endpoints, the page, and around them the middleware."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Route
from starlette.staticfiles import StaticFiles

from digitrec import __version__
from digitrec.recognise.readers import Reader
from digitrec.web import answers, collected, problems, routes
from digitrec.web.inference import State
from digitrec.web.limits import AdmissionControl
from digitrec.web.middleware import RequestMiddleware
from digitrec.web.settings import Settings

STATIC = Path(__file__).parent / "static"
SWAGGER = Path(str(files("fastapi_offline") / "static"))
"""Swagger's script and style sheet."""


def create_app(engines: Sequence[Reader], settings: Settings = Settings()) -> FastAPI:
    """Return the server for these engines, the first of them the default; it closes them at its end."""
    state = State(engines, settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        for service in state.services.values():
            await service.warm_up()
        yield
        state.close()

    app = FastAPI(
        title="digitrec", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None,
        redirect_slashes=False,
        description="Reads a handwritten digit from any picture and says how sure it is.",
    )  # fmt: skip
    problems.install(app)
    routes.add(app, state)
    pages = {"/": "index.html", "/docs": "docs.html"}
    if settings.collect is not None:
        collected.add(app, state, collected.Collection(settings.collect))
    if settings.answers is not None:
        answers.add(app, settings.answers, settings.owner_key)
        pages["/review"] = "review.html"
    for path, name in pages.items():
        app.add_route(path, partial(_file, STATIC / name))
    app.mount("/static", StaticFiles(directory=STATIC))
    app.mount("/docs", StaticFiles(directory=SWAGGER))
    paths = {route.path for route in app.routes if isinstance(route, Route)}
    app.add_middleware(
        AdmissionControl, settings=settings, inside=state.inside, buffers=state.buffers, metrics=state.metrics
    )
    if settings.origins:
        app.add_middleware(
            CORSMiddleware, allow_origins=settings.origins, allow_methods=["GET", "POST"],
            allow_headers=["Authorization", "Content-Type", "X-API-Key"],
            expose_headers=["Retry-After", "X-Request-ID"],
        )  # fmt: skip
    app.add_middleware(RequestMiddleware, metrics=state.metrics, paths=paths, settings=settings)
    return app


def _file(file: Path, request: Request) -> FileResponse:
    return FileResponse(file)
