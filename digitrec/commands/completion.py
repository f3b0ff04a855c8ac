"""``digitrec completion``, and what the scripts that it prints ask this program.

click's own scripts lose the names of files where other names fit as well, split a list at its comma (fish),
and put a value in the place of the option it belongs to (``--provider=lo`` in zsh and fish). So the scripts
are ours; what is completed to what is click's.
"""

from __future__ import annotations

import os

import click
from click.shell_completion import (
    BashComplete,
    FishComplete,
    ShellComplete,
    ZshComplete,
    add_completion_class,
    split_arg_string,
)

BASH = """\
%(complete_func)s() {
    local IFS=$'\\n' line files='' current=${COMP_WORDS[COMP_CWORD]}
    [[ $current == '=' ]] && current=''
    COMPREPLY=()
    while read -r line; do
        case $line in
            file,*) files=-f ;;
            dir,*) files=-d ;;
            plain,*) COMPREPLY+=("${line#plain,}") ;;
        esac
    done < <(COMP_WORDS="${COMP_WORDS[*]:0:COMP_CWORD+1}" COMP_CWORD="$current" \\
        %(complete_var)s=bash_complete "$1" 2>/dev/null)
    if [[ $files && ${#COMPREPLY[@]} -gt 0 ]]; then  # names and files: readline quotes what needs it
        compopt -o filenames
        mapfile -t -O "${#COMPREPLY[@]}" COMPREPLY < <(compgen "$files" -- "$current")
    elif [[ $files == -d ]]; then
        compopt -o dirnames
    elif [[ $files ]]; then
        compopt -o default
    fi
}

complete -o nosort -F %(complete_func)s %(prog_name)s
"""
"""Where only files fit, readline completes them itself, whatever their names hold."""

ZSH = """\
#compdef %(prog_name)s

%(complete_func)s() {
    local -a lines plain described
    local line kind value help files
    lines=("${(@f)$(COMP_WORDS="${(F)words[1,CURRENT]}" COMP_CWORD="${words[CURRENT]}" \\
        %(complete_var)s=zsh_complete "${words[1]}" 2>/dev/null)}")
    for kind value help in "${lines[@]}"; do
        case $kind in
            file) files=-f ;;
            dir) files=-/ ;;
            plain) if [[ $help == _ ]]; then plain+=("$value"); else described+=("$value:$help"); fi ;;
        esac
    done
    [[ $PREFIX == --*=* ]] && compset -P 1 '*='
    (( $#described )) && _describe -V %(prog_name)s described
    (( $#plain )) && compadd -V %(prog_name)s -a plain
    [[ -n $files ]] && _path_files $files
}

if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    %(complete_func)s "$@"
else
    compdef %(complete_func)s %(prog_name)s
fi
"""

FISH = """\
function %(complete_func)s
    set -l token (commandline -ct | string collect)
    set -l option (string match -r -- '^--[^=]+=' "$token"; or echo)
    set -l rest (string replace -- "$option" '' "$token" | string collect)
    for line in (COMP_WORDS=(commandline -cp | string collect) COMP_CWORD="$token" \\
            %(complete_var)s=fish_complete %(prog_name)s 2>/dev/null)
        set -l parts (string split -m 1 , -- $line)
        switch $parts[1]
            case file dir
                set -l paths (complete -C "'' $rest")
                test $parts[1] = dir; and set paths (string match -- '*/' $paths)
                test -n "$paths"; and printf "$option%%s\\n" $paths
            case plain
                echo $option$parts[2]
        end
    end
end

complete --no-files --command %(prog_name)s --arguments '(%(complete_func)s)'
"""


class _Words(ShellComplete):
    """Our scripts say the words up to the cursor as they were typed, and the last one once more."""

    def get_completion_args(self) -> tuple[list[str], str]:
        args = split_arg_string(os.environ["COMP_WORDS"])[1:]
        incomplete = args.pop() if args and os.environ["COMP_CWORD"] else ""
        return [arg for arg in args if arg != "="], incomplete  # bash makes a word of its own of it

    def complete(self) -> str:
        """What is on offer; a name with a line end in it cannot be told."""
        args, incomplete = self.get_completion_args()
        items = self.get_completions(args, incomplete)
        return "\n".join(self.format_completion(item) for item in items if "\n" not in item.value)


@add_completion_class
class _Bash(_Words, BashComplete):
    source_template = BASH


@add_completion_class
class _Zsh(_Words, ZshComplete):
    source_template = ZSH


@add_completion_class
class _Fish(_Words, FishComplete):
    source_template = FISH


SHELLS: dict[str, type[ShellComplete]] = {"bash": _Bash, "zsh": _Zsh, "fish": _Fish}


@click.command()
@click.argument("shell", type=click.Choice(list(SHELLS)))
@click.pass_context
def completion(ctx: click.Context, shell: str) -> None:
    """Print the script that completes commands, options, their values and the names of files in your shell.

    \b
    Examples:
      digitrec completion bash >> ~/.bashrc
      digitrec completion zsh > "${fpath[1]}/_digitrec"
      digitrec completion fish > ~/.config/fish/completions/digitrec.fish
    """
    click.echo(SHELLS[shell](ctx.find_root().command, {}, "digitrec", "_DIGITREC_COMPLETE").source())
