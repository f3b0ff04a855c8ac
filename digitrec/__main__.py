"""The program: ``digitrec``, which is also ``python -m digitrec``."""

from digitrec.commands import interrupt


def run() -> None:
    """Run the command line."""
    interrupt.end_at_once()  # until a command is ready to run, end at once
    from digitrec.cli import main

    main()


if __name__ == "__main__":
    run()
