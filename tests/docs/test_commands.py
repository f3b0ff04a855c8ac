"""The program accepts every command on a page, with its options and values."""

import re
import shlex

import click
import pytest
from page_parts import LIVING, code_spans, command_lines, fences, text_of

from digitrec.cli import COMMANDS, main

BEFORE = r"(?:[A-Z_]+=\S+ )*(?:\.venv/bin/|\.venv\\Scripts\\|python -m |docker run [^|]*? )?"
OURS = re.compile(rf"^{BEFORE}digitrec (.*)")


def ours(line: str) -> str | None:
    """Return the arguments of digitrec in a line of shell, up to a pipe or a redirection."""
    found = OURS.match(re.split(r"&&|;", line)[-1].strip())
    return re.split(r"\s[|>]", found[1])[0] if found else None


CALLS = sorted({(page, call) for page in LIVING for line in command_lines(page) if (call := ours(line))})


def test_the_pages_name_commands() -> None:
    assert len(CALLS) > 100
    assert {call.split()[0] for _, call in CALLS} >= set(COMMANDS)


@pytest.mark.parametrize("page", sorted({page for page, _ in CALLS}))
def test_every_command_that_is_named_is_taken(page: str) -> None:
    for named, call in CALLS:
        if named == page:
            problem = refused(call)
            assert problem is None, f"digitrec {call}: {problem}"


def refused(call: str) -> str | None:
    """Return click's objection to a command line, except for missing files."""
    words = shlex.split(call)
    command: click.Command = main
    ctx = click.Context(main, info_name="digitrec")
    try:
        while isinstance(command, click.Group) and words and words[0] != "--help":
            name, found, words = command.resolve_command(ctx, words)
            assert found is not None
            command, ctx = found, click.Context(found, parent=ctx, info_name=name)
        values, left, order = command.make_parser(ctx).parse_args(list(words))
        for parameter in order:
            value = values.get(str(parameter.name))
            if given(value) and not isinstance(parameter.type, click.Path | click.File):
                parameter.type_cast_value(ctx, value)
    except click.ClickException as error:
        return error.format_message()
    return f"{left} is too much" if left else None


def given(value: object) -> bool:
    """Whether a value was given, other than a placeholder such as FILE."""
    words = value if isinstance(value, list | tuple) else [value]
    said = [word for word in words if isinstance(word, str) and word != "..." and not word.isupper()]
    return bool(said) and len(said) == len(words)


def test_every_recipe_of_just_exists() -> None:
    spans = [span for page in LIVING for span in [*code_spans(page), *fences(page, "sh", "")]]
    named = {word for span in spans for word in re.findall(r"^just ([a-z-]+)", span, re.MULTILINE)}
    assert len(named) > 4
    assert named <= set(re.findall(r"^([a-z-]+)(?: [^:\n]*)?:(?!=)", text_of("justfile"), re.MULTILINE))
