# Commands for developers; `just` alone lists them.

python := ".venv-test/bin/python"

[private]
default:
    @just --list

# Create the environment for tests and lint.
setup:
    python3 -m venv .venv-test
    .venv-test/bin/pip install -e '.[test]'

# Run the whole suite.
test *args:
    {{python}} -m pytest -n 2 {{args}}

# Make small errors in a package, one at a time, and list those that its tests do not notice: just mutants ledger.
mutants package:
    .venv-test/bin/pip install -q -e '.[test,mutants]'
    {{python}} bench/mutants.py {{package}}

# Check style, types, imports and generated pages.
lint:
    .venv-test/bin/ruff check .
    .venv-test/bin/ruff format --check .
    .venv-test/bin/mypy
    .venv-test/bin/lint-imports
    .venv-test/bin/bandit -q -c pyproject.toml -r digitrec
    {{python}} docs/make_cli.py --check
    {{python}} docs/make_architecture.py --check
    {{python}} docs/make_notebook.py --check
    {{python}} docs/make_figures.py --check

# Fix what ruff can fix.
fix:
    .venv-test/bin/ruff check --fix .
    .venv-test/bin/ruff format .

# Regenerate the generated pages, and the figures that pages quote.
docs:
    {{python}} docs/make_cli.py
    {{python}} docs/make_architecture.py
    {{python}} docs/make_notebook.py
    {{python}} docs/make_figures.py

# Build the site of all pages, the course and the reference in build/site/html.
site *folder:
    {{python}} docs/make_site.py {{folder}}

# Draw the pictures of the lessons and write their figures again (some train for a minute): just lessons 1 3.
lessons *numbers:
    for number in {{ if numbers == "" { "1 3 5 6 7" } else { numbers } }}; do {{python}} docs/course/make_$number.py; done

# Run every command of the lessons in a fresh folder, with the time each takes: just course 1 2.
course *numbers:
    {{python}} docs/course/run.py {{numbers}}

# Check everything that a release needs, or only the named steps.
release-check *steps:
    {{python}} deploy/check_release.py {{steps}}

# Pin what CI and the image install, with hashes; after a change of setup.cfg, or to renew them (--upgrade).
pins *args:
    {{python}} deploy/pins.py {{args}}

# The tests that need a live account (set the vendor's variables first).
live:
    {{python}} -m pytest -m live

# Print every ratio; each script fails when its goal is missed.
bench:
    .venv-test/bin/pip install -q -e '.[bench]'
    {{python}} bench/predict.py
    {{python}} bench/sheets.py
    {{python}} bench/serve.py
    {{python}} bench/starve.py

# Train the shipped network again.
train:
    .venv-test/bin/digitrec train
