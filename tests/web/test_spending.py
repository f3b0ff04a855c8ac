"""Paid engines: budgets for each client and each day, and what visitors are told of them."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import settings as trying
from hypothesis import strategies as st

from digitrec import errors
from digitrec.errors import Unreachable
from digitrec.web import problems
from digitrec.web.problems import ProblemError
from digitrec.web.scheduling import DAY_S, Spending
from digitrec.web.settings import Settings

from .fakes import local, paid, png, serving

PICTURES = [png((60 + number, 60)) for number in range(12)]
"""Different ones: each answer costs a cent."""
PAID = "/predict?provider=cloud"


def by(place: int, key: str = "") -> dict[str, str]:
    return {"x-forwarded-for": f"203.0.113.{place}"} | ({"x-api-key": key} if key else {})


@pytest.mark.parametrize(
    ("settings", "senders", "statuses"),
    [
        (Settings(proxies=1, usd_per_client=0.02, usd_per_day=0.05),
         [by(1), by(1), by(1), by(2), by(2), by(2), by(3), by(3)], [200, 200, 402, 200, 200, 402, 200, 402]),
        (Settings(proxies=1, usd_per_client=0.01, api_keys=("one", "two")),
         [by(1, "one"), by(2, "one"), by(1, "two")], [200, 402, 200]),
    ],
    ids=["each address, and the day", "each key, wherever it is used"],
)  # fmt: skip
def test_a_client_that_has_spent_its_share_leaves_the_others_theirs(
    settings: Settings, senders: list[dict[str, str]], statuses: list[int]
) -> None:
    with serving(local(), paid(), settings=settings) as client:
        asked = zip(PICTURES, senders, strict=False)
        found = [client.post(PAID, content=one, headers=sender).status_code for one, sender in asked]
        assert client.post("/predict?provider=local", content=PICTURES[0], headers=senders[0]).is_success
    assert found == statuses


def test_only_what_was_spent_counts() -> None:
    """Several pictures are reserved at once; a failure costs nothing."""
    script = [Unreachable("down"), "7", "7"]
    with serving(local(), paid(*script), settings=Settings(usd_per_client=0.02)) as client:
        counts = (1, 3, 2, 1)
        sent = [[("file", PICTURES[start + n]) for n in range(count)] for start, count in enumerate(counts)]
        statuses = [client.post(PAID, files=files).status_code for files in sent]
    assert statuses == [503, 402, 200, 402]


def test_the_engines_own_budget_is_told_without_advice_for_the_command_line() -> None:
    with serving(local(), paid(max_cost=0.015)) as client:
        first, second = (client.post(PAID, content=picture) for picture in PICTURES[:2])
        listed = client.post(PAID, files=[("file", picture) for picture in PICTURES[2:4]])
    assert (first.status_code, second.status_code, listed.status_code) == (200, 402, 200)
    assert listed.json()["predictions"][0]["problem"]["status"] == 402
    assert "--" not in second.text + listed.text and "$" not in second.text


ADVICE = ["raise --max-cost", "pip install '.[heif]' in digitrec's folder", "digitrec.DigitImage.open",
          "the configuration file"]  # fmt: skip
KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type)]


@given(
    st.sampled_from(KINDS).filter(lambda kind: issubclass(kind, errors.DigitrecError)),
    st.text(max_size=20), st.sampled_from(ADVICE), st.text(max_size=20),
)  # fmt: skip
@trying(max_examples=200, deadline=None, database=None)
def test_no_error_brings_visitors_advice_for_the_operator(
    kind: type[errors.DigitrecError], before: str, advice: str, after: str
) -> None:
    assert advice not in problems.from_error(kind(f"{before} {advice} {after}")).detail


cents = st.integers(0, 300)


@given(
    st.lists(st.tuples(st.sampled_from("abc"), cents, st.none() | cents, st.sampled_from([0, 1000, 50_000]))),
    st.none() | cents, st.none() | cents,
)  # fmt: skip
@trying(max_examples=200, deadline=None, database=None)
def test_a_request_is_refused_exactly_where_it_would_pass_a_budget_of_its_day(
    asked: list[tuple[str, int, int | None, int]], per_client: int | None, per_day: int | None
) -> None:
    """A request without a bill was cancelled, and counts as what was reserved."""
    now = 0.0
    usd = [None if limit is None else limit / 100 for limit in (per_client, per_day)]
    spending, spent, day = Spending(*usd, clock=lambda: now), Counter[str](), 0
    for account, most, bill, seconds in asked:
        now += seconds
        if now // DAY_S != day:
            day, spent = int(now // DAY_S), Counter[str]()
        budgets = [(spent[account], per_client), (spent.total(), per_day)]
        passes = any(limit is not None and used + most > limit for used, limit in budgets)
        cost = most if bill is None else min(bill, most)
        try:
            with spending.reserve(account, most / 100) as told:
                if bill is None:
                    raise TimeoutError
                told.usd = cost / 100
        except ProblemError as error:
            assert error.problem.status == 402 and most and passes
            continue
        except TimeoutError:
            pass
        assert not (most and passes)
        spent[account] += cost


def test_what_is_in_progress_is_reserved() -> None:
    spending = Spending(1.0, None)
    with spending.reserve("a", 0.6) as bill:
        with pytest.raises(ProblemError), spending.reserve("a", 0.6):
            pass
        bill.usd = 0.0
    with spending.reserve("a", 0.6):
        pass
