"""``digitrec serve``, ``review`` and ``emulate``."""

import os
import re
import secrets
from collections.abc import Sequence
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import click

from digitrec.commands import options
from digitrec.commands.engines import EMULATED, Asking, asking_served
from digitrec.commands.progress import quietly
from digitrec.engine import Engine
from digitrec.errors.text import count, percent
from digitrec.providers.addresses import is_loopback
from digitrec.providers.base import FREE, requires
from digitrec.providers.registry import open_provider, price_of

KEYS = "DIGITREC_API_KEYS"
"""The variable with the API keys, separated by commas; if it is unset, no key is needed."""

ORIGIN = re.compile(
    r"(?!http:.*:80$|https:.*:443$)[a-z][a-z0-9+.-]*://(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(:[0-9]+)?|\*"
)
"""An origin as browsers send it, or "*"."""


HOST_NAME = re.compile(r"[a-zA-Z0-9._-]+|\*|\[?[0-9a-fA-F:.]+\]?")
"""A host name or address without a scheme, or "*"."""


def _host(given: str) -> str:
    """Check a name of `--allow-host`, and return it in lower case, an IPv6 address without its brackets."""
    if HOST_NAME.fullmatch(given):
        return given.lower().strip("[]")
    raise click.BadParameter(
        f"{given!r} is not a host name; give only the whole name, in ASCII, such as example.org"
    )


def _origin(given: str) -> str:
    """Check an origin of `--allow-origin`."""
    if ORIGIN.fullmatch(given):
        return given
    raise click.BadParameter(
        f"{given!r} is not an origin; give only scheme and whole host, in lower-case ASCII, "
        "such as https://example.org"
    )


def _keys() -> tuple[str, ...]:
    """Return the keys in the environment variable.

    Raises:
        click.UsageError: the variable is set but holds no key, or a key that no HTTP header can carry.
    """
    given = os.environ.get(KEYS)
    if given is None:
        return ()
    keys = tuple(key.strip() for key in given.split(",") if key.strip())
    if not keys:
        raise click.UsageError(f"{KEYS} is set but holds no key; unset it, or put keys with commas between.")
    if not all(key.isascii() and key.isprintable() for key in keys):
        raise click.UsageError(f"{KEYS} holds a key with a character that is not printable ASCII; change it.")
    return keys


@click.command(context_settings={"show_default": True})
@click.option("--host", default="127.0.0.1", help="Address to listen on; 0.0.0.0 for every network.")
@click.option("--port", default=5000, type=click.IntRange(0, 65535), envvar="PORT", show_envvar=True)
@click.option(
    "--providers", default="local", callback=options.names, metavar="NAMES",
    help="Engines to offer, separated by commas.",
)  # fmt: skip
@asking_served
@click.option("--rate", type=options.Number(0.001, 1e6), default=50.0, help="Requests a second per client.")
@options.whole(
    "--proxies", "Number of trusted proxies that set X-Forwarded-For.", least=0, default=0,
    envvar="DIGITREC_PROXIES", show_envvar=True, metavar=None,
)  # fmt: skip
@click.option(
    "--allow-host", multiple=True, metavar="NAME", show_default=False, type=_host,
    help="Host name to answer to, besides the machine's own (repeatable; * is any).  [default: any; only "
    "the machine's own on loopback without --proxies]",
)  # fmt: skip
@click.option(
    "--allow-origin", "origins", multiple=True, metavar="ORIGIN", show_default=False, type=_origin,
    help="Allow pages of this site, such as https://example.org (repeatable; * is any).",
)  # fmt: skip
@options.choice(
    "--log-level", "debug", "info", "warning", "error", default="info",
    help="Lowest level to log; info logs each request.",
)  # fmt: skip
def serve(
    host: str, port: int, asking: Asking, allow_host: tuple[str, ...], log_level: str, **limits: Any
) -> None:
    """Serve the page to draw on, and the REST API.

    By default it listens on this machine only, offers the local engine only, and keeps no picture.
    DIGITREC_API_KEYS (separated by commas) restricts it to clients with a key. Ctrl-C stops it once the
    accepted requests are answered.

    \b
    Examples:
      digitrec serve
      digitrec serve --providers local,tesseract,google --max-cost 1.50
      digitrec serve --fallback google --below 0.95 --max-cost 1.50
      curl -X POST -F "file=@test.png" http://127.0.0.1:5000/predict
    """
    with requires("digitrec serve", "web"):
        from digitrec.web import monitoring, server
        from digitrec.web.settings import Settings
    keys, is_public = _keys(), limits["proxies"] > 0 or not is_loopback(host)
    hosts = allow_host or (() if is_public else ("localhost",))
    settings = Settings(
        burst=max(1, round(2 * limits["rate"])), api_keys=keys, hosts=() if "*" in hosts else hosts, **limits
    )
    asking = replace(asking, providers=list(dict.fromkeys(asking.providers)))
    is_policy, names = asking.fallback or asking.consensus, asking.names()
    turns = len(names) + 1 - (asking.consensus or 1) if is_policy else 1  # engines asked one after another
    slow = max(1, min(turns, sum(price_of(name) != FREE for name in names)))
    asking = replace(asking, timeout=0.9 * settings.seconds / slow)
    with asking.engines(names) as engines:
        _check_spending(engines, asking.max_cost, everybody=is_public and not keys)
        policy = asking.policy(engines)
        monitoring.configure(log_level)
        with server.listen(host, port) as listening:
            address, number = listening.getsockname()[:2]
            is_any = ip_address(address).is_unspecified  # on Windows, no browser opens http://0.0.0.0
            place = server.place("localhost" if is_any else host, number)
            click.echo(f"digitrec is at http://{place} (Ctrl-C stops it)", err=True)
            off = f"off, every visitor may send pictures ({KEYS} sets keys)"
            click.echo(f"API keys: {f'{len(keys)} accepted' if keys else off}", err=True)
            server.run(engines if policy is None else [policy, *engines], settings, listening)


def _check_spending(engines: Sequence[Engine], max_cost: float | None, *, everybody: bool) -> None:
    """Check that paid engines have a budget, and that only clients with a key can spend it.

    Raises:
        click.UsageError: a paid engine has no budget, or every visitor can spend it.
    """
    name = next((one.provider.name for one in engines if one.usd_per_image != 0), None)
    if name is not None and max_cost is None:
        raise click.UsageError(f"{name} costs money; set a budget: --max-cost USD.")
    if name is not None and everybody:
        raise click.UsageError(
            f"{name} costs money, and every visitor of the server could spend it. Require a key: set {KEYS}."
        )


HOST = "127.0.0.1"
"""Address of the review page; only this machine can reach it."""


@click.command()
@click.argument("answers", type=options.Input(exists=True))
@options.out_folder("labelled", "Folder of the labels and their pictures.")
@click.option(
    "--below", type=options.SHARE, default=0.95, show_default=True, metavar="CHANCE",
    help="Show answers below this calibrated probability, or below this confidence if not calibrated.",
)  # fmt: skip
@options.whole("--port", "Port of the page; 0 is any free one.", least=0, most=65535, default=0)
def review(answers: Path, out: Path, below: float, port: int) -> None:
    """Correct doubtful answers on a page, with the keyboard.

    ANSWERS is a .jsonl file of `predict`, `read` or `batch`. The page shows each doubtful digit or number
    with its reading: Enter accepts the text in the field, Escape skips it. Every label is written
    at once, so Ctrl-C loses nothing and the same command continues. The folder then has labels.csv and
    pictures, in the form that `benchmark` (with --numbers for numbers) and `train` accept.

    \b
    Examples:
      digitrec read forms/ -o jsonl > answers.jsonl
      digitrec review answers.jsonl --out labelled
      digitrec benchmark labelled --numbers --provider local,rapidocr
    """
    with requires("digitrec review", "web"):
        from digitrec.web import monitoring, server
        from digitrec.web.answers import Answers
        from digitrec.web.settings import Settings
    found = Answers(answers, out, below)
    doubtful = count(found.left, "doubtful answer")
    if not found.left:
        click.echo(f"{doubtful} below {percent(below)}: nothing to correct", err=True)
        return
    key = secrets.token_urlsafe(16)
    monitoring.configure("warning")
    with server.listen(HOST, port) as listening:
        place = server.place(HOST, listening.getsockname()[1])
        click.echo(f"{doubtful} at http://{place}/review#{key} (Ctrl-C stops it)", err=True)
        settings = Settings(owner_key=key, hosts=("localhost",), answers=found)
        with quietly():
            engine = Engine("local")
        server.run([engine], settings, listening)


@click.command()
@click.argument("vendors", nargs=-1, type=click.Choice(EMULATED), metavar="[VENDOR]...")
@options.whole("--port", "Port of the first vendor; the others follow.  [default: any free ones]", least=0,
               most=65535, default=0)  # fmt: skip
@click.option("--fault", "faults", multiple=True, metavar="FAULT",
              help='Fault to inject, such as "429:first=2"; repeatable.')  # fmt: skip
def emulate(vendors: Sequence[str], port: int, faults: Sequence[str]) -> None:
    """Emulate the clouds' APIs on this machine.

    This lets programs and tests run without an account. VENDOR is google, aws, aws-textract, azure,
    azure-analysis, azure-document or openai; by default all of them. The emulator decodes and reads the
    pictures and applies the vendors' limits. Its answers say nothing about a vendor's accuracy. Stop it
    with Ctrl-C.

    \b
    A FAULT is KIND[:OPTION=VALUE,...]; docs/emulator.md says what each does.
      Errors:   400 401 403 404 413 429 500 502 503 504 quota redirect
      Delivery: slow hang reset cut-off drip
      Answers:  html unusable
      Polls:    endless-poll failed-poll unknown-poll
      Options:  skip first after seconds status to

    \b
    Examples:
      digitrec emulate
      digitrec emulate aws --port 8001
      digitrec emulate google --fault 429:first=2
    """
    from digitrec.emulator import serve as emulator

    with quietly():
        open_provider("local")  # LiteRT prints a line with its first interpreter
    try:
        emulator(vendors or EMULATED, faults=faults, port=port, say=click.echo)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
