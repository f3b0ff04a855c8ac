"""Paid engines: budgets for each client and each day, and what visitors are told of them."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import settings as trying
from hypothesis import strategies as st

from digitrec import errors
from digitrec.errors import Unreachable
from digitrec.web import problems
from digitrec.web.problems import ProblemError
from digitrec.web.settings import Settings
from digitrec.web.spending import DAY_S, Spending

from .fakes import local, paid, png, serving

number = itertools.count(60)


def another() -> bytes:
    """A picture that was not asked about before: its answer costs a cent."""
    return png((next(number), 60))


def test_a_client_that_has_spent_its_share_leaves_the_others_theirs() -> None:
    settings = Settings(proxies=1, usd_per_client=0.02, usd_per_day=0.05)
    with serving(local(), paid(), settings=settings) as client:

        def ask(address: str, provider: str = "cloud") -> int:
            headers = {"x-forwarded-for": address}
            url = f"/predict?provider={provider}"
            return client.post(url, content=another(), headers=headers).status_code

        assert [ask("203.0.113.1") for _ in range(3)] == [200, 200, 402]
        assert ask("203.0.113.1", "local") == 200
        assert [ask("203.0.113.2") for _ in range(3)] == [200, 200, 402]
        assert [ask("203.0.113.3") for _ in range(2)] == [200, 402]  # the day's


def test_where_there_are_keys_a_key_is_the_account_wherever_it_is_used() -> None:
    settings = Settings(proxies=1, usd_per_client=0.01, api_keys=("one", "two"))
    with serving(local(), paid(), settings=settings) as client:
        statuses = [
            client.post(
                "/predict?provider=cloud", content=another(),
                headers={"x-forwarded-for": f"203.0.113.{place}", "x-api-key": key},
            ).status_code
            for place, key in [(1, "one"), (2, "one"), (1, "two")]
        ]  # fmt: skip
    assert statuses == [200, 402, 200]


def test_only_what_was_spent_counts() -> None:
    """Several pictures are put aside at once; a failure and an answer paid for before cost nothing."""
    script = [Unreachable("down"), "7", "7"]
    with serving(local(), paid(*script), settings=Settings(usd_per_client=0.02)) as client:
        url, again = "/predict?provider=cloud", another()
        assert client.post(url, content=another()).status_code == 503
        assert client.post(url, files=[("file", another())] * 3).status_code == 402
        assert client.post(url, files=[("file", again), ("file", another())]).status_code == 200
        assert client.post(url, content=another()).status_code == 402


def test_a_budget_that_is_spent_is_told_without_advice_for_the_command_line() -> None:
    with serving(local(), paid(max_cost=0.0)) as client:
        answer = client.post("/predict?provider=cloud", content=another())
        listed = client.post("/predict?provider=cloud", files=[("file", another())] * 2)
    assert answer.status_code == 402
    assert "--" not in answer.text and "$" not in answer.text
    assert "--" not in listed.text and listed.json()["predictions"][0]["problem"]["status"] == 402


ADVICE = [
    "raise --max-cost",
    "pip install '.[heif]' in digitrec's folder",
    "digitrec.DigitImage.open",
    "the configuration file",
]
KINDS = [kind for kind in vars(errors).values() if isinstance(kind, type)]


@given(
    st.sampled_from(KINDS).filter(lambda kind: issubclass(kind, errors.DigitrecError)),
    st.text(max_size=20), st.sampled_from(ADVICE), st.text(max_size=20),
)  # fmt: skip
@trying(max_examples=200, deadline=None, database=None)
def test_no_error_whatever_it_says_brings_visitors_advice_for_the_operator(
    kind: type[errors.DigitrecError], before: str, advice: str, after: str
) -> None:
    detail = problems.from_error(kind(f"{before} {advice} {after}")).detail
    assert advice not in detail


cents = st.integers(0, 300)


@given(
    st.lists(st.tuples(st.sampled_from("abc"), cents, cents, st.sampled_from([0, 1000, 50_000]))),
    st.none() | cents, st.none() | cents,
)  # fmt: skip
@trying(max_examples=200, deadline=None, database=None)
def test_a_request_is_refused_exactly_where_it_would_pass_a_budget_of_its_day(
    asked: list[tuple[str, int, int, int]], per_client: int | None, per_day: int | None
) -> None:
    now = 0.0
    usd = [None if limit is None else limit / 100 for limit in (per_client, per_day)]
    spending, spent, day = Spending(*usd, clock=lambda: now), Counter[str](), 0
    for account, most, bill, seconds in asked:
        now += seconds
        if now // DAY_S != day:
            day, spent = int(now // DAY_S), Counter[str]()
        passes = any(
            limit is not None and used + most > limit
            for used, limit in [(spent[account], per_client), (spent.total(), per_day)]
        )
        try:
            with spending.reserve(account, most / 100) as told:
                told.usd = min(bill, most) / 100
        except ProblemError as error:
            assert error.problem.status == 402 and most and passes
        else:
            assert not (most and passes)
            spent[account] += min(bill, most)


def test_a_new_day_begins_with_nothing_spent() -> None:
    now = DAY_S - 1.0
    spending = Spending(1.0, 1.0, clock=lambda: now)
    with spending.reserve("a", 1.0):
        pass
    with pytest.raises(ProblemError), spending.reserve("a", 1.0):
        pass
    now += 2
    with spending.reserve("a", 1.0):
        pass


def test_what_is_given_up_half_way_is_counted_as_spent() -> None:
    spending = Spending(1.0, None)
    with pytest.raises(TimeoutError), spending.reserve("a", 0.6):
        raise TimeoutError
    with pytest.raises(ProblemError), spending.reserve("a", 0.6):
        pass
    with spending.reserve("b", 0.6):
        pass


def test_what_is_at_work_is_put_aside() -> None:
    spending = Spending(1.0, None)
    with spending.reserve("a", 0.6) as bill:
        with pytest.raises(ProblemError), spending.reserve("a", 0.6):
            pass
        bill.usd = 0.0
    with spending.reserve("a", 0.6):
        pass
