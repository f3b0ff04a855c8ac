"""Tables that list what the code has: nothing is missing in them, nothing too much, and each row is so."""

from __future__ import annotations

import ast
import inspect
import re
from http import HTTPStatus

import pytest
from page_parts import ROOT, text_of

from digitrec import errors
from digitrec.emulator.faults import KINDS
from digitrec.engine.retry import is_retried, may_be_billed
from digitrec.errors import DigitrecError
from digitrec.plots.exploration import PICTURES
from digitrec.providers import registry
from digitrec.training.zoo import ZOO
from digitrec.web import problems
from digitrec.web.schemas import Reading

ERRORS = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if issubclass(kind, DigitrecError)]
SAID = re.compile(r"Problem\(\s*(\d{3}),\s*\"([a-z-]+)\"|_problem\((\d{3}), \"([a-z-]+)\"")


QUOTED = re.compile(r'"([a-z ]+)"')


def rows(page: str, head: str) -> list[list[str]]:
    """The cells of the table whose head begins so."""
    table = text_of(page).partition(f"| {head}")[2].partition("\n\n")[0]
    return [[cell.strip() for cell in line.strip("| ").split("|")] for line in table.splitlines()[2:]]


def test_every_problem_of_the_server_is_listed_under_its_status() -> None:
    listed = {
        (int(status), kind)
        for statuses, kinds, *_ in rows("docs/api.md", "status | kind |")
        for status in re.findall(r"\d{3}", statuses)
        for kind in re.findall(r"`([a-z-]+)`", kinds)
    }
    source = "\n".join(path.read_text("utf-8") for path in (ROOT / "digitrec" / "web").glob("*.py"))
    made = {(int(found[0] or found[2]), found[1] or found[3]) for found in SAID.findall(source)}
    made |= {(404, "not-found"), (405, HTTPStatus(405).phrase.lower().replace(" ", "-"))}
    ours = {
        (problem.status, problem.kind) for problem in map(problems.from_error, (kind("x") for kind in ERRORS))
    }
    needed = made | {problem for problem in ours if problem[0] != 500}  # "internal, ..."
    assert sorted(needed - listed) == []
    assert sorted({kind for _, kind in listed} - {kind for _, kind in made | ours}) == []


RETRIES = rows("docs/ledger.md", "error | asked again? |")
EXAMPLES: dict[str, list[DigitrecError]] = {
    "RateLimited": [errors.RateLimited("x", status=429)],
    "Unavailable, with a status": [errors.Unavailable("x", status=503)],
    "Unavailable, connection broken": [errors.Unavailable("x")],
    "Unreachable: no connection came about": [errors.Unreachable("x")],
    "NotConfigured, NotInstalled": [errors.NotConfigured("x"), errors.NotInstalled("x")],
    "TimedOut": [errors.TimedOut("x")],
    "QuotaExceeded (a day's or month's)": [errors.QuotaExceeded("x", status=403)],
    "AuthFailed": [errors.AuthFailed("x", status=401)],
    "Rejected": [errors.Rejected("x", status=400)],
    "BadAnswer": [errors.BadAnswer("x", status=200)],
    "a bug in the provider: any other exception, or what is no outcome": [errors.ProviderError("x")],
}


@pytest.mark.parametrize("row", RETRIES, ids=lambda row: str(row[0])[:30])
def test_what_is_asked_again_and_what_may_have_cost_money(row: list[str]) -> None:
    for error in EXAMPLES[row[0]]:
        assert is_retried(error) == row[1].startswith("yes")
        assert may_be_billed(error) == row[2].startswith("yes")


def test_every_fault_of_the_emulator_is_listed() -> None:
    page = text_of("docs/emulator.md")
    listed = {kind for line in re.findall(r"^\| (`[^|]*`) \|", page, re.MULTILINE)
              for kind in re.findall(r"`([a-z0-9-]+)`", line)}  # fmt: skip
    spoken = page.partition("A language model may do something else")[2].partition("\n\n")[0]
    listed |= set(re.findall(r"`([a-z-]+)`", spoken)) - {"openai"}
    assert listed >= set(KINDS)
    assert listed - set(KINDS) <= {"local", "tesseract", "rapidocr"}


def test_every_engine_has_its_rows_on_the_page_of_engines() -> None:
    names = set(registry.names())
    for head in ("name | what it is |", "engine | its candidates |"):
        assert {row[0].strip("`") for row in rows("docs/providers.md", head)} == names
    sent = {row[0].strip("`") for row in rows("docs/providers.md", "engine | shorter side at least |")}
    assert sent == names - {"local"}


def test_every_kind_of_network_is_in_the_course() -> None:
    cells = " ".join(row[0] for row in rows("docs/tutorial.md", "`--arch` | what it is |"))
    assert set(re.findall(r"`([a-z-]+)`", cells)) >= set(ZOO)


def test_every_reason_is_listed_and_said_somewhere() -> None:
    listed = [
        reason for _, cell in rows("docs/output.md", "said by | reason |") for reason in QUOTED.findall(cell)
    ]
    documented = re.findall(r'"([a-z ]+)"', " ".join(field_doc("reason").split()))
    assert listed == documented
    said = {
        node.value
        for path in (ROOT / "digitrec").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    assert set(listed) <= said


def field_doc(name: str) -> str:
    """What stands below a field of `Prediction`."""
    body = ast.parse((ROOT / "digitrec" / "prediction.py").read_text("utf-8")).body
    (prediction,) = [node for node in body if isinstance(node, ast.ClassDef) and node.name == "Prediction"]
    at = next(i for i, node in enumerate(prediction.body)
              if isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == name)  # fmt: skip
    return ast.literal_eval(prediction.body[at + 1].value)  # type: ignore[attr-defined, no-any-return]


def test_every_field_of_a_reading_of_the_server_is_listed() -> None:
    cells = [row[0] for row in rows("docs/api.md", "field | meaning |")]
    assert {name for cell in cells for name in re.findall(r"`(\w+)`", cell)} == set(Reading.model_fields)


def test_every_picture_of_the_first_step_of_the_course_is_counted() -> None:
    assert (
        f"{('', '', '', '', '', '', 'Six', 'Seven', 'Eight')[len(PICTURES)]} pictures and one page: "
        in text_of("docs/tutorial.md")
    )
