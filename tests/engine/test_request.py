"""The time of one request: its own runs, a vendor's queue puts its end off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from paid_cloud import PaidCloud, image, options

from digitrec.answer import Answer
from digitrec.engine import Engine
from digitrec.engine.config import Config
from digitrec.image import PreparedImage


class Timed(PaidCloud):
    """Remembers how long each request was given."""

    attempt_timeout = 60.0

    def read(self, image: PreparedImage, *, timeout: float) -> Answer:
        self.given_s = timeout
        return super().read(image, timeout=timeout)


@pytest.mark.parametrize(
    ("chosen", "expected_s"),
    [
        ({}, 60.0),
        ({"config": Config(attempt_timeouts={"paid": 20.0})}, 20.0),
        ({"config": Config(attempt_timeouts={"paid": 20.0}), "attempt_timeout": 90.0}, 90.0),
        ({"timeout": 15.0}, 15.0),
    ],
)
def test_a_request_has_the_time_of_options_configuration_or_provider(
    chosen: dict[str, Any], expected_s: float, tmp_path: Path
) -> None:
    cloud = Timed()
    with Engine(cloud, options(tmp_path, **{"timeout": 120.0, **chosen})) as engine:
        engine.ask([image(7)])
    assert cloud.given_s == pytest.approx(expected_s, abs=5.0)
