"""The program: ``digitrec``, which is also ``python -m digitrec``."""

from digitrec.commands import interrupt


def run() -> None:
    """Run the command line."""
    interrupt.end_at_once()  # Ctrl-C ends the program at once until a command is ready
    from digitrec.cli import main

    main()


if __name__ == "__main__":
    run()
