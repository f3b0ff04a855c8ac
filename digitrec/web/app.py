"""The application: the endpoints, the page, and around them the middleware."""

from __future__ import annotations

import gzip
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache, partial
from importlib.resources import files
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, Header
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route
from starlette.staticfiles import StaticFiles

from digitrec import __version__
from digitrec.recognise.readers import Reader
from digitrec.web import collected, problems, routes
from digitrec.web.limits import AdmissionControl
from digitrec.web.middleware import RequestMiddleware
from digitrec.web.settings import Settings
from digitrec.web.state import State

STATIC = Path(__file__).parent / "static"
SCRIPT = Path(str(files("fastapi_offline") / "static" / "swagger-ui-bundle.js"))
"""Swagger's script, 1.5 MB."""


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
        redirect_slashes=False, servers=[{"url": settings.root_path}] if settings.root_path else None,
        description="Reads a handwritten digit from any picture and says how sure it is.",
    )  # fmt: skip
    problems.install(app)
    routes.add(app, state)
    if state.collection is not None:
        collected.add(app, state, state.collection)
    _add_pages(app, collects=state.collection is not None)
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


def _add_pages(app: FastAPI, *, collects: bool) -> None:
    pages = {"/": "index.html", "/docs": "docs.html"} | ({"/review": "review.html"} if collects else {})
    for path, name in pages.items():
        app.add_route(path, partial(_file, STATIC / name))

    @app.get(f"/docs/{SCRIPT.name}", include_in_schema=False)
    def script(accept_encoding: Annotated[str, Header()] = "") -> Response:
        if "gzip" not in accept_encoding:
            return FileResponse(SCRIPT)
        headers = {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        return Response(_packed(SCRIPT), media_type="text/javascript", headers=headers)

    app.mount("/static", StaticFiles(directory=STATIC))
    app.mount("/docs", StaticFiles(directory=SCRIPT.parent))


def _file(file: Path, request: Request) -> FileResponse:
    return FileResponse(file)


@cache
def _packed(file: Path) -> bytes:
    """Return a file compressed; it takes 50 ms, so it is done once."""
    return gzip.compress(file.read_bytes())
