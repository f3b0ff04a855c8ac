"""``digitrec review``."""

from __future__ import annotations

import secrets
from pathlib import Path

import click

from digitrec.commands import options
from digitrec.commands.files import Input
from digitrec.commands.progress import quietly
from digitrec.engine import Engine
from digitrec.errors.text import count, percent
from digitrec.providers.base import not_installed

HOST = "127.0.0.1"
"""The page is for this machine."""


@click.command()
@click.argument("answers", type=Input(exists=True, dir_okay=False))
@options.out_folder("labelled", "Folder of the labels and their pictures.")
@click.option(
    "--below", type=options.SHARE, default=0.95, show_default=True, metavar="CHANCE",
    help="Show answers below this calibrated probability, or below this confidence if not calibrated.",
)  # fmt: skip
@options.whole("--port", "Port of the page; 0 is any free one.", least=0, most=65535, default=0)
def review(answers: Path, out: Path, below: float, port: int) -> None:
    """Correct doubtful answers with the keyboard, on a page of this machine.

    ANSWERS is a .jsonl file of `predict`, `read` or `batch`. The page shows each doubtful digit or number
    with its reading: Enter accepts the text in the field, Escape skips it. Every label is written
    at once, so Ctrl-C loses nothing and the same command continues. The folder then has labels.csv and
    pictures, as `benchmark` (with --numbers for numbers) and `train` take them.

    \b
    Examples:
      digitrec read forms/ -o jsonl > answers.jsonl
      digitrec review answers.jsonl --out labelled
      digitrec benchmark labelled --numbers --provider local,rapidocr
    """
    try:
        from digitrec.web import monitoring, server
        from digitrec.web.answers import Answers
        from digitrec.web.settings import Settings
    except ImportError as error:
        raise not_installed("digitrec review", "web") from error
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
