"""Promises of an engine: retries, deadline, batches, ledger, budget, rate."""

import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from paid_cloud import PRICE, PaidCloud, answer, ask, image, options, recorded

from digitrec import errors
from digitrec.answer import Answer
from digitrec.emulator import Emulator
from digitrec.engine import Engine, Estimate
from digitrec.engine.config import Config, Month, default_ledger, load
from digitrec.engine.ledger import Ledger, entries
from digitrec.image import InputSpec, PreparedImage
from digitrec.providers.base import FREE
from digitrec.providers.registry import open_provider
from digitrec.recognise import calibration

# ---- answers and what they say of themselves


def test_an_answer_is_bought_once(tmp_path: Path) -> None:
    ask(PaidCloud(), tmp_path, 7)
    again = PaidCloud()
    (reply,) = ask(again, tmp_path, 7)
    assert again.calls == []
    assert reply.outcome == answer(7)
    assert (reply.cost_usd, reply.attempts, reply.replayed) == (0.0, 0, True)


def test_a_fresh_answer_is_bought_again_and_kept(tmp_path: Path) -> None:
    ask(PaidCloud(), tmp_path, 7)
    cloud = PaidCloud()
    (reply,) = ask(cloud, tmp_path, 7, fresh=True)
    assert (cloud.calls, reply.replayed, reply.cost_usd) == ([7], False, PRICE)
    assert [call.state for call in recorded(tmp_path)] == ["answered", "answered"]


def test_the_ledger_is_the_configured_one_or_lies_in_the_users_folder(tmp_path: Path) -> None:
    ask(PaidCloud(), tmp_path, 7, ledger="default", config=Config(ledger=tmp_path / "mine.sqlite"))
    assert (tmp_path / "mine.sqlite").exists()
    ask(PaidCloud(), tmp_path, 7, ledger="default")
    assert default_ledger().exists()


def test_an_estimate_asks_nothing(tmp_path: Path) -> None:
    cloud = PaidCloud(batch=4)
    with Engine(cloud, options(tmp_path)) as engine:
        engine.ask([image(1)])
        estimate = engine.estimate([image(number) for number in (1, 2, 2, 3, 4, 5, 6)])
    assert estimate == Estimate("paid", images=7, replayed=2, requests=2, cost_usd=5 * PRICE)
    assert cloud.calls == [1]
    cloud.price = None
    with Engine(cloud, options(tmp_path)) as unpriced:
        assert [unpriced.estimate([image(number)]).cost_usd for number in (1, 2)] == [0.0, None]
    assert [file.name for file in tmp_path.iterdir()] == ["ledger.sqlite"]  # closing it ends SQLite's log


# ---- retries


class Busy(errors.RateLimited):
    def __init__(self) -> None:
        Exception.__init__(self, "busy")


FAULTS: list[tuple[list[errors.ProviderError | float], int, type[errors.DigitrecError] | None, float]] = [
    # results of the calls, attempts, the error (None: an answer), US dollars counted
    ([], 1, None, PRICE),
    ([errors.Unavailable("x", status=503)], 2, None, PRICE),
    ([errors.RateLimited("x", status=429), errors.RateLimited("x", status=429)], 3, None, PRICE),
    ([errors.TimedOut("x")], 2, None, 2 * PRICE),
    ([Busy()], 2, None, PRICE),
    ([errors.Unavailable("reset")], 2, None, 2 * PRICE),
    ([errors.Unreachable("refused")] * 9, 5, errors.Unreachable, 0.0),
    ([errors.Unavailable("x", status=500)] * 9, 5, errors.Unavailable, 0.0),
    ([errors.RateLimited("x", status=429, retry_after=500.0)], 1, errors.RateLimited, 0.0),
    ([errors.RateLimited("x", status=429, retry_after=30.0)], 1, errors.RateLimited, 0.0),
    ([errors.AuthFailed("x", status=401)], 1, errors.AuthFailed, 0.0),
    ([errors.Rejected("x", status=400)], 1, errors.Rejected, 0.0),
    ([errors.QuotaExceeded("x", status=403)], 1, errors.QuotaExceeded, 0.0),
    ([errors.BadAnswer("x", status=200)], 1, errors.BadAnswer, PRICE),
    ([errors.Unavailable("x", status=502), errors.AuthFailed("x", status=401)], 2, errors.AuthFailed, 0.0),
]


@pytest.mark.usefixtures("no_waits")
@pytest.mark.parametrize("batch", [1, 16])
@pytest.mark.parametrize(("script", "attempts", "error", "cost"), FAULTS)
def test_faults(
    tmp_path: Path, script: list[Any], attempts: int, error: type[errors.DigitrecError] | None, cost: float,
    batch: int,
) -> None:  # fmt: skip
    cloud = PaidCloud(script={7: script}, batch=batch)
    reply, other = ask(cloud, tmp_path, 7, 8)
    assert reply.attempts == cloud.calls.count(7) == attempts
    assert reply.outcome == answer(7) if error is None else type(reply.outcome) is error
    assert reply.cost_usd == pytest.approx(cost)
    assert (other.outcome, other.attempts, other.cost_usd) == (answer(8), 1, PRICE)
    if error is not None:
        assert getattr(reply.outcome, "provider", None) == "paid"
        assert ask(PaidCloud(), tmp_path, 7)[0].outcome == answer(7)  # an error is never an answer


def test_an_aborted_caller_stops_further_requests(tmp_path: Path) -> None:
    class Broken(PaidCloud):
        def read(self, image: PreparedImage, *, timeout: float) -> Any:
            if image.data == b"1":
                while not self.calls:
                    time.sleep(0.01)
                raise SystemExit
            return super().read(image, timeout=timeout)

    cloud = Broken(script={2: [errors.RateLimited("x", status=429, retry_after=0.2)]})
    with Engine(cloud, options(tmp_path, concurrency=2)) as engine:
        with pytest.raises(SystemExit):
            engine.ask([image(number) for number in (1, 2, 3, 4)])
        time.sleep(0.5)
        assert cloud.calls == [2]


# ---- deadline


def test_a_hanging_call_times_out_and_its_late_answer_is_kept(tmp_path: Path) -> None:
    cloud = PaidCloud(script={7: [2.0]})
    hanging, other = ask(cloud, tmp_path, 7, 8, timeout=0.6)
    assert isinstance(hanging.outcome, errors.TimedOut)
    assert "--timeout" in str(hanging.outcome)
    assert (hanging.attempts, hanging.cost_usd) == (1, PRICE)
    assert other.outcome == answer(8)
    (late,) = ask(cloud, tmp_path, 7)  # waits for the call in flight
    assert (late.outcome, late.replayed) == (answer(7), True)
    assert cloud.calls.count(7) == 1


LONGEST_S = 60
"""Seconds after which a program with a hanging call ends by itself, also when pytest is killed."""


HANGING = f"""
import sys
from contextlib import closing
from pathlib import Path
sys.path.insert(0, sys.argv[1])
from paid_cloud import PaidCloud, image, options
from digitrec.engine import Engine
folder = Path(sys.argv[2])
cloud = PaidCloud(script={{7: [{LONGEST_S}]}}, counter=folder / "counter")
print(Engine(cloud, options(folder, timeout=float(sys.argv[3]))).ask([image(7)])[0].outcome)
"""


@pytest.mark.parametrize("ended_by", ["its timeout", "Ctrl-C"])
def test_a_program_ends_despite_a_hanging_call(tmp_path: Path, ended_by: str) -> None:
    if sys.platform == "win32" and ended_by == "Ctrl-C":
        pytest.skip("Ctrl-C cannot be sent to one process on Windows")
    timeout = LONGEST_S if ended_by == "Ctrl-C" else 0.2
    arguments = [str(Path(__file__).parents[1]), str(tmp_path), str(timeout)]
    command = [sys.executable, "-W", "ignore", "-c", HANGING, *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as program:
        while not (tmp_path / "counter").exists() and program.poll() is None:
            time.sleep(0.05)
        if ended_by == "Ctrl-C":
            program.send_signal(signal.SIGINT)
        output, warnings = program.communicate(timeout=LONGEST_S / 2)
    assert "no answer within 0.2 s" in output or warnings.rstrip().endswith("KeyboardInterrupt")
    assert program.returncode == 0 or ended_by == "Ctrl-C"


# ---- rate and budget


def test_a_rate_limit_alone_never_makes_an_image_fail_and_keeps_its_claim(tmp_path: Path) -> None:
    """The last question waits for its turn longer than its timeout; its duplicate waits for its answer."""
    config, numbers = Config(rates={"paid": 2.0}), [*range(6), 5]
    cloud = PaidCloud(delay_s=0.5)
    replies = ask(cloud, tmp_path, *numbers, config=config, timeout=2.0, concurrency=8)
    assert [reply.outcome for reply in replies] == [answer(number) for number in numbers]
    assert sorted(cloud.calls) == list(range(6))


def test_a_long_wait_for_the_turns_of_other_commands_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("digitrec.engine.request.LONG_WAIT_S", 0.2)
    for number, told in ((1, False), (2, True)):
        ask(PaidCloud(), tmp_path, number, config=Config(rates={"paid": 2.0}))
        assert ("for turns of other commands" in caplog.text) == told


@pytest.mark.parametrize("damage", ["not a folder", "not a database", "another table"])
def test_without_its_file_the_rate_limit_holds_for_the_engine(
    damage: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    folder = default_ledger().parent
    place = folder if damage == "not a folder" else folder / "rate.sqlite"
    place.parent.mkdir(parents=True, exist_ok=True)
    if damage == "another table":  # it can be opened, but not written
        with closing(sqlite3.connect(place)) as other:
            other.execute("CREATE TABLE queues (other)")
    else:
        place.write_text("nothing of use here" * 100)
    start = time.monotonic()
    replies = ask(PaidCloud(), tmp_path, 1, 2, 3, config=Config(rates={"paid": 10.0}))
    assert [reply.outcome for reply in replies] == [answer(number) for number in (1, 2, 3)]
    assert time.monotonic() - start >= 0.2
    assert len(caplog.messages) == 1 and str(folder / "rate.sqlite") in caplog.text


def test_without_a_home_only_the_ledger_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.environ", {})
    monkeypatch.setattr("pwd.getpwuid", {}.__getitem__)
    assert load() == Config() and calibration.known() == {}
    with pytest.raises(errors.NotConfigured, match="HOME"):
        default_ledger()


@pytest.mark.parametrize("ledger", [{}, {"ledger": "none"}])
def test_the_budget_of_a_command_is_shared_by_its_engines(ledger: dict[str, str], tmp_path: Path) -> None:
    how = {"max_cost": 4 * PRICE, "run": "shared", **ledger}
    ask(PaidCloud(name="one"), tmp_path, 1, 2, 3, **how)
    replies = ask(PaidCloud(name="two"), tmp_path, 1, 2, 3, **how)
    assert sum(isinstance(reply.outcome, errors.BudgetExceeded) for reply in replies) == 2
    assert sum(reply.cost_usd or 0.0 for reply in replies) == PRICE


def test_a_monthly_budget_needs_the_ledger(tmp_path: Path) -> None:
    with pytest.raises(errors.NotConfigured, match="--no-ledger"):
        ask(PaidCloud(), tmp_path, 7, ledger="none", config=Config(budget=Month(1.0)))
    with Emulator(["google"]) as emulator:
        rehearsed = PaidCloud(endpoint=emulator.endpoints["google"])
        assert ask(rehearsed, tmp_path, 7, ledger="none", config=Config(budget=Month(1.0)))[0].emulated


def test_a_budget_needs_a_price(tmp_path: Path) -> None:
    cloud = PaidCloud()
    cloud.price = None
    with pytest.raises(errors.NotConfigured, match="paid"):
        ask(cloud, tmp_path, 7, max_cost=1.0)
    cloud.name = "azure"
    with pytest.raises(errors.NotConfigured, match=r"\[prices\] azure = "):
        ask(cloud, tmp_path, 7, max_cost=1.0)
    cloud.name = "paid"
    replies = ask(cloud, tmp_path, *range(5), max_cost=1.0, config=Config(prices={"paid": 0.25}))
    assert [reply.cost_usd for reply in replies].count(0.25) == 4


def test_an_emulators_answer_says_so_costs_nothing_and_is_never_real(tmp_path: Path) -> None:
    before = PaidCloud()
    engine = Engine(before, options(tmp_path))
    assert not engine.ask([image(3)])[0].emulated
    with Emulator(["google"], engine=lambda picture: []) as emulator:
        endpoint = before.endpoint = emulator.endpoints["google"]
        assert engine.ask([image(3)])[0].emulated, "it may start later"
        engine.close()
        cloud = PaidCloud(endpoint=endpoint)
        cloud.rate = 0.001  # an emulator has no quota
        replies = ask(cloud, tmp_path, 1, 2)
        assert [reply.outcome for reply in replies] == [answer(1), answer(2)]
        assert {(r.emulated, r.cost_usd, r.replayed) for r in replies} == {(True, 0.0, False)}
        (again,) = ask(PaidCloud(endpoint=endpoint), tmp_path, 1)
        assert (again.emulated, again.replayed) == (True, True)
    real = PaidCloud(endpoint=endpoint)
    (reply,) = ask(real, tmp_path, 1)
    assert (real.calls, reply.emulated, reply.replayed, reply.cost_usd) == ([1], False, False, PRICE)


# ---- the ledger that cannot be written


def test_a_paid_answer_is_returned_if_not_recorded(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Unwritable(PaidCloud):
        """A provider during whose answer the ledger is damaged."""

        def read(self, image: PreparedImage, *, timeout: float) -> Any:
            with Ledger(tmp_path / "ledger.sqlite").transaction() as sqlite:
                sqlite.execute("ALTER TABLE calls RENAME TO gone")
            return super().read(image, timeout=timeout)

    cloud = Unwritable()
    first, second = ask(cloud, tmp_path, 7, 8, concurrency=1)
    assert first.outcome == answer(7)
    assert "could not be recorded" in caplog.text
    assert isinstance(second.outcome, errors.LedgerError)
    assert cloud.calls == [7]


# ---- recording, secrets, and free engines on this machine


def test_every_answer_is_recorded_also_a_replayed_one(tmp_path: Path) -> None:
    ask(PaidCloud(), tmp_path, 1)
    ask(PaidCloud(script={2: [errors.Rejected("x")]}), tmp_path, 1, 2, 3, record=tmp_path / "r.jsonl")
    with Engine(PaidCloud(), options(tmp_path, record=tmp_path / "r.jsonl")) as engine:
        engine.ask([replace(image(1), image=image(4).image)])  # another file of the same picture
    with closing(Ledger(tmp_path / "r.jsonl")) as recording:
        kept = [(entry.answer, entry.question.image_sha256) for entry in entries(recording)]
    assert kept == [(answer(at), image(of).image.sha256) for at, of in ((1, 1), (3, 3), (1, 4))]


@pytest.mark.parametrize(("attribute", "value"), [
    ("name", ""), ("name", "two\nlines"), ("endpoint", 80), ("price", 0.001), ("batch", 0), ("rate", 0.0),
    ("wants", None), ("endpoint", "http://[::1"), ("options", {1: 2, "a": 3}), ("options", {"a": "\ud800"}),
    ("batch_bytes", 0),
])  # fmt: skip
def test_a_provider_with_an_invalid_attribute_is_refused(attribute: str, value: object) -> None:
    cloud = PaidCloud()
    setattr(cloud, attribute, value)
    with pytest.raises(errors.NotConfigured, match=f"its {attribute}"):
        Engine(cloud)


def test_a_provider_whose_attribute_raises_is_refused() -> None:
    class Broken(PaidCloud):
        wants = property(lambda _: 1 / 0, lambda *_: None)  # type: ignore[assignment]

    with pytest.raises(errors.NotConfigured, match="ZeroDivisionError"):
        Engine(Broken())


def test_an_impossible_form_of_image_is_refused() -> None:
    for wrong in ({"encoding": "gif"}, {"repeat": 0}, {"margin": -1}, {"margin": float("nan")}):
        with pytest.raises(ValueError, match=r"gif|at least"):
            InputSpec(**{"encoding": "png", **wrong})  # type: ignore[arg-type]


def test_the_settings_of_an_engine_hold_under_a_name_of_its_own(tmp_path: Path) -> None:
    google = open_provider("google", env={}, api_key="k", name="mine")
    for name in ("mine", "azure"):  # the price of azure is another's
        google.name = name
        with Engine(
            google, options(tmp_path, config=Config(prices={"google": 0.25, "azure": 1.0}))
        ) as engine:
            assert engine.estimate([image(1)]).cost_usd == {"mine": 0.25, "azure": 1.0}[name]


def test_a_free_engine_on_this_machine_is_asked_in_one_go() -> None:
    cloud = PaidCloud()
    cloud.endpoint, cloud.price = None, FREE  # type: ignore[assignment]
    with Engine(cloud) as engine:
        replies = engine.ask([image(1), image(2)])
        assert engine.estimate([image(1)]) == Estimate("paid", 1, 0, 1, 0.0)
    assert [reply.outcome for reply in replies] == [answer(1), answer(2)]
    assert {(reply.attempts, reply.cost_usd, reply.replayed) for reply in replies} == {(1, 0.0, False)}
    assert cloud.requests == [[1, 2]]
    cloud._script = {3: [errors.Rejected("x")]}
    assert Engine(cloud).ask([image(3)])[0].outcome.provider == "paid"  # type: ignore[union-attr]


class Timed(PaidCloud):
    """A provider that keeps each request's timeout."""

    attempt_timeout = 60.0

    def read(self, image: PreparedImage, *, timeout: float) -> Answer:
        self.given_s = timeout
        return super().read(image, timeout=timeout)


@pytest.mark.parametrize(("chosen", "expected_s"), [
    ({}, 60.0), ({"config": Config(attempt_timeouts={"paid": 20.0})}, 20.0),
    ({"config": Config(attempt_timeouts={"paid": 20.0}), "attempt_timeout": 90.0}, 90.0),
    ({"timeout": 15.0}, 15.0),
])  # fmt: skip
def test_a_request_has_the_time_of_options_configuration_or_provider(
    chosen: dict[str, Any], expected_s: float, tmp_path: Path
) -> None:
    cloud = Timed()
    with Engine(cloud, options(tmp_path, **{"timeout": 120.0, **chosen})) as engine:
        engine.ask([image(7)])
    assert cloud.given_s == pytest.approx(expected_s, abs=5.0)
