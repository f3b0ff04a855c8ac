"""``digitrec emulate``."""

from __future__ import annotations

from collections.abc import Sequence

import click

from digitrec.commands import options
from digitrec.commands.engines import EMULATED
from digitrec.commands.progress import quietly
from digitrec.emulator import serve
from digitrec.providers.registry import open_provider


@click.command()
@click.argument("vendors", nargs=-1, type=click.Choice(EMULATED), metavar="[VENDOR]...")
@options.whole("--port", "Port of the first vendor; the others follow.  [default: any free ones]", least=0,
               most=65535, default=0)  # fmt: skip
@click.option("--engine", default="local", show_default=True, metavar="NAME",
              help="Engine that reads the pictures: local, tesseract, rapidocr, or script:FILE.")  # fmt: skip
@click.option("--fault", "faults", multiple=True, metavar="FAULT",
              help='Fault to inject, such as "429:first=2" or "google/503"; repeatable.')  # fmt: skip
def emulate(vendors: Sequence[str], port: int, engine: str, faults: Sequence[str]) -> None:
    """Emulate the clouds' APIs on this machine, for programs and tests without an account.

    VENDOR is google, aws, aws-textract, azure, azure-analysis, azure-document or openai; by default all of
    them. The emulator decodes and reads the pictures and applies the vendors' limits. Its answers say
    nothing about a vendor's accuracy. Stop it with Ctrl-C.

    \b
    A FAULT is [VENDOR/]KIND[:OPTION=VALUE,...]; docs/emulator.md says what each does.
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
    if engine == "local":
        with quietly():
            open_provider("local")  # LiteRT prints a line with its first interpreter
    try:
        serve(vendors or EMULATED, engine=engine, faults=faults, port=port, say=click.echo)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
