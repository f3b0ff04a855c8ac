"""Helpers for tests of pages: load docs/ scripts as modules, parse command lines."""

import importlib.util
import shlex
import sys
from pathlib import Path
from types import ModuleType

import click

from digitrec.cli import main

ROOT = Path(__file__).parents[1]


def loaded(path: Path) -> ModuleType:
    """Load a script of docs/ as a module, with the modules beside it importable."""
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # a dataclass looks itself up there
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
    finally:
        sys.path.remove(str(path.parent))
    return module


def parsed(command: str) -> click.Context:
    """Parse a command line of a page with the real command line's options, values and files.

    Raises:
        click.ClickException: it would be refused.
    """
    program, *words = shlex.split(command)
    assert program == "digitrec", command
    name = program
    found: click.Command = main
    while isinstance(found, click.Group):
        name, *words = words
        below = found.get_command(click.Context(found), name)
        assert below is not None, command
        found = below
    return found.make_context(name, words)
