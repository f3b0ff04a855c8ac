"""The program: ``digitrec``, which is also ``python -m digitrec``."""

from digitrec.cli import main as run

if __name__ == "__main__":
    run()
