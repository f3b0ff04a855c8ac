"""``python -m digitrec`` is ``digitrec``."""

from digitrec.cli import main

if __name__ == "__main__":
    main()
