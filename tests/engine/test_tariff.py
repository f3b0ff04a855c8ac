"""Prices by the token: the maximum is reserved, then the tokens' cost is recorded."""

import json
from pathlib import Path
from typing import Any

import pytest
from paid_cloud import recorded
from raw_server import RawServer, answer

from digitrec.emulator.kit import drawn_seven
from digitrec.engine import Engine, Options
from digitrec.engine.config import Config, TokenPrice
from digitrec.errors import BudgetExceeded, NotConfigured
from digitrec.prepare import prepare
from digitrec.providers.openai import OpenAi

PRICED = Config(tokens={"m": TokenPrice(10.0, 20.0)})
COUNTED = (187 * 10 + 14 * 20) / 1_000_000
MOST = (2000 * 10 + 2048 * 20) / 1_000_000


def completion(digit: int | None = 7, **more: Any) -> bytes:
    content = json.dumps({"digit": digit, "reason": "seen"})
    usage = {"prompt_tokens": 187, "completion_tokens": 14}
    body = {"choices": [{"message": {"content": content}}], "usage": usage, **more}
    return answer(200, json.dumps(body).encode())


@pytest.fixture
def server(server: RawServer) -> RawServer:
    server.say = [completion()]
    return server


def asked(server: RawServer, ledger: Path, times: int = 1, **options: Any) -> list[Any]:
    """Ask different questions; return the replies, and then their cost in the ledger."""
    provider = OpenAi(model="m", key="k", endpoint=server.url)
    settings = {"_config": PRICED, "attempts": 1, "fresh": True, **options}
    engine = Engine(provider, Options(ledger=ledger, **settings))
    with engine:
        return [engine.ask([prepare(drawn_seven(), provider.wants)])[0] for _ in range(times)]


UNUSABLE: list[dict[str, Any]] = [
    {"choices": [{"message": {"content": None, "refusal": "I cannot"}}]},
    {"choices": [{"message": {"content": "{"}, "finish_reason": "length"}]},
    {"choices": [{"message": {"content": 7}}]}, {"error": {"code": 502, "message": "upstream"}},
]  # fmt: skip


@pytest.mark.parametrize(("said", "cost", "state"), [
    (completion(), COUNTED, "answered"), (completion(usage=None), MOST, "answered"),
    (answer(200, b"{}"), MOST, "unknown"),
    *((completion(**{"choices": [], **body}), COUNTED, "failed") for body in UNUSABLE),
])  # fmt: skip
def test_an_answer_costs_its_tokens_or_the_reserved_maximum(
    said: bytes, cost: float, state: str, server: RawServer, tmp_path: Path
) -> None:
    server.say = [said]
    (reply,) = asked(server, tmp_path / "ledger.sqlite")
    assert reply.cost_usd == pytest.approx(cost)
    assert [(call.state, call.cost_usd) for call in recorded(tmp_path)] == [(state, pytest.approx(cost))]


@pytest.mark.parametrize("wrong", [lambda answer: answer.raw["none"], lambda answer: (-5_000_000, -1)])
def test_a_wrong_count_of_tokens_costs_the_maximum(
    wrong: Any, server: RawServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OpenAi, "tokens", staticmethod(wrong))
    (reply,) = asked(server, tmp_path / "ledger.sqlite")
    assert reply.cost_usd == pytest.approx(MOST)


def test_a_budget_must_hold_the_most_and_is_spent_by_the_count(server: RawServer, tmp_path: Path) -> None:
    replies = asked(server, tmp_path / "a.sqlite", times=3, max_cost=MOST + 1.5 * COUNTED)
    assert [type(reply.outcome).__name__ for reply in replies] == ["Answer", "Answer", "BudgetExceeded"]
    before = len(server.arrived)
    (reply,) = asked(server, tmp_path / "b.sqlite", max_cost=MOST / 2)
    assert isinstance(reply.outcome, BudgetExceeded)
    assert len(server.arrived) == before


def test_no_budget_can_be_kept_without_a_price_of_tokens(server: RawServer, tmp_path: Path) -> None:
    with pytest.raises(NotConfigured, match=r'\[tokens\."m"\]'):
        asked(server, tmp_path / "ledger.sqlite", _config=Config(), max_cost=1.0)


def test_a_price_for_an_image_comes_before_one_for_tokens(server: RawServer, tmp_path: Path) -> None:
    config = Config(prices={"openai": 0.0}, tokens=PRICED.tokens)
    (reply,) = asked(server, tmp_path / "ledger.sqlite", _config=config)
    assert reply.cost_usd == 0.0
