"""``digitrec completion``."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from digitrec.commands.process import COMPLETE


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script that completes commands, options and file names in your shell.

    \b
    Examples:
      digitrec completion bash >> ~/.bashrc
      digitrec completion zsh > "${fpath[1]}/_digitrec"
      digitrec completion fish > ~/.config/fish/completions/digitrec.fish
    """
    if script := get_completion_class(shell):
        click.echo(script(ctx.find_root().command, {}, "digitrec", COMPLETE).source())
