"""The application: the endpoints, the page, and around them the gate and the envelope."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from importlib.resources import files
from pathlib import Path

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.responses import FileResponse
from starlette.staticfiles import StaticFiles

from digitrec.recognise import Reader
from digitrec.version import __version__
from digitrec.web import problems, routes
from digitrec.web.desk import Desk
from digitrec.web.envelope import Envelope
from digitrec.web.gate import Gate
from digitrec.web.settings import Settings

STATIC = Path(__file__).parent / "static"


def create_app(engines: Sequence[Reader], settings: Settings = Settings()) -> FastAPI:
    """The server for these engines, the first of them the default; it closes them at its end."""
    desk = Desk.open(engines, settings)

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        for reader in desk.readers.values():
            await reader.warm_up()
        yield
        desk.close()

    app = FastAPI(
        title="digitrec", version=__version__, lifespan=lifespan, docs_url=None, redoc_url=None,
        description="Reads a handwritten digit from any picture and says how sure it is.",
    )  # fmt: skip
    app.state.places = desk.places
    problems.install(app)
    paths = {"/", "/docs"}
    for router in (routes.questions(desk), routes.state(desk)):
        app.include_router(router)
        paths |= {route.path for route in router.routes if isinstance(route, APIRoute)}
    _add_pages(app)
    app.add_middleware(Gate, settings=settings, places=desk.places)
    app.add_middleware(Envelope, metrics=desk.metrics, paths=paths)
    return app


def _add_pages(app: FastAPI) -> None:
    @app.api_route("/", methods=["GET", "HEAD"], include_in_schema=False)
    async def page() -> FileResponse:
        return FileResponse(STATIC / "index.html")

    @app.get("/docs", include_in_schema=False)
    async def docs() -> FileResponse:
        return FileResponse(STATIC / "docs.html")

    app.mount("/static", StaticFiles(directory=STATIC))
    app.mount("/docs", StaticFiles(directory=str(files("fastapi_offline") / "static")))
