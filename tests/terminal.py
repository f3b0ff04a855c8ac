"""The command line in this process, for tests."""

import io
from collections.abc import Callable
from typing import Any

from click.testing import CliRunner, Result

from digitrec.cli import main


def run(*arguments: object, code: int | None = None, **options: Any) -> Result:
    """Run `digitrec` with these arguments; let an unexpected exception through.

    Args:
        arguments: converted to strings.
        code: the expected exit code; None: any.
        options: those of `CliRunner.invoke`, such as ``input``.
    """
    done = CliRunner(catch_exceptions=False).invoke(main, list(map(str, arguments)), **options)
    assert code in (None, done.exit_code), done.output
    return done


def text_of(write: Callable[..., None], *arguments: Any, **options: Any) -> str:
    """Return what one of our writers writes to a stream, which is its last argument."""
    out = io.StringIO()
    write(*arguments, out, **options)
    return out.getvalue()
