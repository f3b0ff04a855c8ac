"""Ink on paper under a lamp in front of a camera: what becomes of writing until it is a picture file."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from digitrec.lab.handwriting.paper import INKS, RULINGS, Floats, Look, clouds, paper

Pixels = NDArray[np.uint8]


def random_look(rng: np.random.Generator) -> Look:
    """Any of the looks that photographs of handwriting have, the frequent ones more often."""
    names = list(INKS)
    name = names[rng.choice(len(names), p=[0.36, 0.24, 0.06, 0.08, 0.05, 0.05, 0.16])]
    pencil = name == "pencil"
    grey, hue = rng.uniform(0.80, 0.96), rng.normal(0, 0.012, 3)
    spread = rng.random(7)
    return Look(
        ink=INKS[name],
        strength=float(rng.uniform(0.45, 0.85) if pencil else rng.uniform(0.75, 0.97)),
        grain=float(rng.uniform(0.2, 0.6) if pencil else 0.3 * spread[0] ** 4),
        tint=(float(grey + hue[0]), float(grey + hue[1]), float(grey + hue[2])),
        ruling=RULINGS[rng.choice(4, p=[0.6, 0.2, 0.15, 0.05])],
        period=float(rng.uniform(0.06, 0.3)),
        print_strength=float(rng.uniform(0.12, 0.6)),
        crumple=float(0.25 * spread[1] if rng.random() < 0.15 else 0.0),
        exposure=float(1.08 - 0.6 * spread[6] ** 2),
        warmth=float(rng.normal(0, 0.05)),
        slope=float(0.5 * spread[2] ** 2),
        vignette=float(0.5 * spread[3] ** 2),
        shadow=float(rng.uniform(0.15, 0.6) if rng.random() < 0.35 else 0.0),
        softness=float(rng.uniform(0.01, 0.4)),
        blur=float(2.0 * spread[4] ** 2),
        noise=float(0.03 * spread[5] ** 3),
        quality=int(rng.integers(40, 96)),
    )


def ink_on_paper(ink: Pixels, rng: np.random.Generator, look: Look | None = None) -> Pixels:
    """Photograph the writing on paper.

    Args:
        ink: (height, width), 255 where the pen wrote and 0 where it did not.
        rng: draws what `look` leaves open, and the look itself by default.
        look: how it was written and photographed.

    Returns:
        RGB pixels, uint8, (height, width, 3).
    """
    look = look or random_look(rng)
    page = paper(rng, *ink.shape, look=look)
    return photograph(write(page, ink, rng, look), rng, look)


def perhaps_on_paper(ink: Pixels, rng: np.random.Generator) -> Pixels:
    """Photograph the writing on paper, or one time in two leave it as it is."""
    return ink_on_paper(ink, rng) if rng.random() < 0.5 else ink


def write(page: Floats, ink: Pixels, rng: np.random.Generator, look: Look) -> Floats:
    """Put ink on the page, both as reflected light, 0..1; shapes (H, W, 3), (H, W)."""
    height, width = ink.shape
    cover = look.strength * ink.astype(np.float32) / 255
    if look.grain:
        tooth = clouds(rng, height, width, (height / 1.8, width / 1.8))
        tooth = tooth + 0.5 * clouds(rng, height, width, (12, 12))
        cover *= np.clip(1 - look.grain * (1 + 1.2 * tooth), 0, 1)
    return np.asarray(page + cover[:, :, None] * (np.asarray(look.ink, np.float32) - page), np.float32)


def photograph(scene: Floats, rng: np.random.Generator, look: Look) -> Pixels:
    """Photograph a surface, (H, W, 3), under the light of `look`: uint8, (H, W, 3)."""
    height, width = scene.shape[:2]
    tone = np.array([1 + look.warmth, 1.0, 1 - look.warmth], np.float32)
    seen = scene * (look.exposure * _light(rng, height, width, look))[:, :, None] * tone
    picture = Image.fromarray(_bytes(seen)).filter(ImageFilter.GaussianBlur(look.blur))
    noise = look.noise * rng.standard_normal((height, width, 1), np.float32)
    noise = noise + 0.4 * look.noise * rng.standard_normal((height, width, 3), np.float32)
    pixels = _bytes(np.asarray(picture, np.float32) / 255 + noise)
    return jpeg(pixels, look.quality) if look.quality else pixels


def jpeg(pixels: Pixels, quality: int) -> Pixels:
    """Compress the pixels as JPEG of the given quality, 1..95, and decode them."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def _light(rng: np.random.Generator, height: int, width: int, look: Look) -> Floats:
    """How much light reaches each point, 0..1: a slope, dark corners, one shadow with a soft edge."""
    side = min(height, width)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    y, x = (y - height / 2) / side, (x - width / 2) / side
    angle = rng.uniform(0, 2 * np.pi)
    light = 1 - look.slope * (0.5 + (x * np.cos(angle) + y * np.sin(angle)) / 1.5)
    light *= 1 - look.vignette * (x**2 + y**2) / 0.6
    if look.shadow:
        angle, wave = rng.uniform(0, 2 * np.pi), 0.12 * clouds(rng, height, width, (3, 3))
        across = x * np.cos(angle) + y * np.sin(angle) + wave - rng.uniform(-0.15, 0.25)
        light *= 1 - look.shadow / (1 + np.exp(-np.clip(across / (look.softness / 4), -30, 30)))
    return np.asarray(np.clip(light, 0, None), np.float32)


def _bytes(values: NDArray[np.floating]) -> Pixels:
    return np.asarray(np.rint(np.clip(values, 0, 1) * 255), np.uint8)
