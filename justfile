# What a developer does here; `just` alone lists it.

python := ".venv-test/bin/python"

[private]
default:
    @just --list

# Make the environment that tests and lint use.
setup:
    python3 -m venv .venv-test
    .venv-test/bin/pip install -e '.[test]'

# Run the whole suite.
test *args:
    {{python}} -m pytest -n 2 {{args}}

# Write a room's functions wrong, one line at a time, and list what its tests let through: just mutants ledger.
mutants room:
    .venv-test/bin/pip install -q -e '.[test,mutants]'
    {{python}} bench/mutants.py {{room}}

# Style, types, who imports whom, generated docs.
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

# Mend what can be mended by machine.
fix:
    .venv-test/bin/ruff check --fix .
    .venv-test/bin/ruff format .

# Write the generated pages again, and the figures that pages take from elsewhere.
docs:
    {{python}} docs/make_cli.py
    {{python}} docs/make_architecture.py
    {{python}} docs/make_notebook.py
    {{python}} docs/make_figures.py

# Build the site of all pages, the course and the reference; it is then in build/site/html.
site *folder:
    {{python}} docs/make_site.py {{folder}}

# Draw the pictures of the lessons and write their figures again (some train for a minute): just lessons 1 3.
lessons *numbers:
    for number in {{ if numbers == "" { "1 3 5 6 7" } else { numbers } }}; do {{python}} docs/course/make_$number.py; done

# Run every command of the lessons in a fresh folder, with the time each takes: just course 1 2.
course *numbers:
    {{python}} docs/course/run.py {{numbers}}

# All that must hold before a release, and what could not be looked at here; names of steps run only those.
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
