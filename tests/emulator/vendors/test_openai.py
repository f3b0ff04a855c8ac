"""Features of a language model: tokens with chances, parameters, refusals."""

import json
import math

import pytest
import requests

from digitrec.emulator import Word

from .. import clients
from ..clients import BELOW, FORTY_TWO, SEVEN, TIMEOUT, data_url, picture, reads

NAME = "openai"


@pytest.fixture
def opened(digitrec_emulator):
    """Start an emulator and open a client of the SDK for it."""
    opened = []

    def open_one(*words):
        emulator = digitrec_emulator([NAME], engine=reads(*words))
        opened.append(clients.openai(emulator.endpoints[NAME]))
        return emulator, opened[-1]

    yield open_one
    for client in opened:
        client.close()


def ask(client, model="a-model", media_type="image/png", **parameters):
    parts = [{"type": "text", "text": "Which digit?"}, data_url(picture(), media_type)]
    messages = [{"role": "user", "content": parts}]
    return client.chat.completions.create(model=model, messages=messages, **parameters)


def said(answer):
    return json.loads(answer.choices[0].message.content)


def test_one_digit(opened):
    emulator, client = opened(SEVEN)
    answer = ask(client, logprobs=True, top_logprobs=20)
    assert said(answer) == {"digit": 7, "reason": "one digit"}
    assert (answer.model, answer.choices[0].finish_reason) == ("emulated-function", "stop")
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert emulator.counts(NAME).billed == 1


@pytest.mark.parametrize("words", [(FORTY_TWO,), (SEVEN, BELOW), (Word("a", 0.9, (0, 0, 9, 9)),)])
def test_anything_else_is_null(opened, words):
    _, client = opened(*words)
    assert said(ask(client))["digit"] is None


def test_chances_of_tokens(opened):
    _, client = opened(SEVEN)
    tokens = ask(client, logprobs=True, top_logprobs=20).choices[0].logprobs.content
    assert "".join(token.token for token in tokens) == ask(client).choices[0].message.content
    (digit,) = [token for token in tokens if token.token == "7"]
    chances = {one.token: math.exp(one.logprob) for one in digit.top_logprobs}
    assert set(chances) == set("0123456789")
    assert chances["7"] == pytest.approx(0.93)
    assert sum(chances.values()) == pytest.approx(1)
    assert ask(client).choices[0].logprobs is None
    assert len(ask(client, logprobs=True, top_logprobs=2).choices[0].logprobs.content[1].top_logprobs) == 2


@pytest.mark.parametrize("body", [
    b"", b"[]", b"null", b'{"model":7}', b'{"model":"m"}', b'{"model":"m","messages":7}',
    b'{"model":"m","messages":[{"content":[{"type":"image_url"}]}]}', b'{"model":"m","messages":[]}',
    *(b'{"model":"m","messages":[{"content":[{"type":"image_url","image_url":{"url":"%s"}}]}]}' % url
      for url in (b"http://x/7.png", b"data:application/pdf;base64,AAAA", b"data:image/png;base64,A")),
])  # fmt: skip
def test_requests_of_another_form(opened, body):
    emulator, _ = opened(SEVEN)
    url = f"{emulator.endpoints[NAME]}/v1/chat/completions"
    answer = requests.post(url, body, headers={"Authorization": "Bearer k"}, timeout=TIMEOUT)
    assert answer.status_code == 400
    assert answer.json()["error"]["message"]
