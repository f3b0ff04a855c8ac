"""How near the time of a comparison is to that of its slowest engine.

Seven engines of 300 ms each read one picture; one after the other they would take seven times as long as
the slowest. Prints the ratio, writes it into docs/benchmarks.md, and exits non-zero when it is missed.
"""

from __future__ import annotations

from figures import Figure, alternate, publish, seconds

from digitrec.comparison import compare
from digitrec.emulator.kit import FakeProvider, drawn_seven

ENGINES = 7
LATENCY_S = 0.3
ROUNDS = 9


def side_by_side() -> Figure:
    """Seven engines at the same time, against one of them alone."""
    fakes = [FakeProvider(latency_s=LATENCY_S, name=f"fake-{number}") for number in range(ENGINES)]
    picture = drawn_seven()
    slowest: list[float] = []

    def all_engines() -> None:
        comparison = compare(picture, fakes)
        slowest.append(max(outcome.latency_s for outcome in comparison.outcomes))

    (all_s,) = alternate(lambda: seconds(all_engines), rounds=ROUNDS)
    one_s = sorted(slowest)[ROUNDS // 2]
    detail = f"{1000 * all_s:.0f} ms; slowest engine {1000 * one_s:.0f} ms"
    return Figure(
        f"{ENGINES} engines of {1000 * LATENCY_S:.0f} ms: compare / slowest",
        all_s / one_s,
        2.0,
        False,
        detail,
    )


if __name__ == "__main__":
    publish("Comparing engines", [side_by_side()])
