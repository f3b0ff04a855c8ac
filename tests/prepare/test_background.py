"""Pure noise is distinguished from a noisy picture with content."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from looks import look

from digitrec.comparison.datasets.mnist import mnist_test
from digitrec.lab.handwriting import corruptions, nondigits
from digitrec.prepare.background import is_noise


def test_no_digit_is_found_on_noise_of_any_kind() -> None:
    seen = [look(one.pixels) for one in nondigits.noise(120, seed=5)]
    assert {ink.reason for ink in seen} <= {"texture", "blank", "more than one digit"}


@given(st.integers(0, 2**32), st.integers(12, 60), st.integers(12, 60), st.integers(1, 5))
def test_noise_is_noise_however_much_it_is_enlarged(seed: int, width: int, height: int, times: int) -> None:
    noise = np.random.default_rng(seed).integers(0, 256, (height, width)).astype(np.float32)
    assert is_noise(noise.repeat(times, axis=0).repeat(times, axis=1)) == is_noise(noise)
    smeared = noise[1:] + noise[:-1]
    assert not is_noise(smeared[:, 1:] + smeared[:, :-1])


@pytest.mark.parametrize("kind", ["impulse noise", "shot noise", "canny edges", "dotted line"])
def test_digits_under_noise_are_not_taken_for_it(kind: str) -> None:
    damaged = corruptions.corrupt(mnist_test().images[:200], kind, seed=4).astype(np.float32)
    assert not any(is_noise(one) for one in damaged)


def test_an_even_picture_is_no_noise() -> None:
    assert not is_noise(np.full((28, 28), 7, np.float32))
