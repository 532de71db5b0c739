"""The one-line functions: ``huanjing.recognize`` and ``huanjing.generate``, on models that stay loaded."""

from __future__ import annotations

from functools import lru_cache
from os import PathLike, fspath

import numpy as np
from numpy.typing import NDArray

from huanjing.runtime.generator import Generator
from huanjing.runtime.prepare import Picture
from huanjing.runtime.recognizer import Language, Recognizer
from huanjing.runtime.results import Prediction


def recognize(
    picture: Picture, top: int = 3, *, model: str | PathLike[str] | None = None, language: Language = "en"
) -> Prediction:
    """Say what is in one picture; for many, use :meth:`Recognizer.recognize_all`.

    :param picture: a path, a PIL picture, or HWC uint8, 0..255.
    :raises PictureError: where the picture cannot be decoded.
    """
    return _recognizer(_key(model)).recognize(picture, top=top, language=language)


def generate(
    count: int = 1,
    *,
    seed: int = 0,
    class_: str | int | None = None,
    truncation: float = 1.0,
    model: str | PathLike[str] | None = None,
) -> NDArray[np.uint8]:
    """Make ``count`` pictures, those of the seeds ``seed``, ``seed + 1``, …: NHWC uint8, 0..255.

    :param class_: for a model that was taught classes, the one to make; else they come as often as in its training.
    :param truncation: below 1, pictures nearer to what is usual (:meth:`Generator.generate`).
    """
    return _generator(_key(model)).generate(range(seed, seed + count), class_, truncation=truncation)


def _key(model: str | PathLike[str] | None) -> str | None:
    return None if model is None else fspath(model)


@lru_cache(maxsize=4)
def _recognizer(model: str | None) -> Recognizer:
    return Recognizer(model)


@lru_cache(maxsize=4)
def _generator(model: str | None) -> Generator:
    return Generator(model)
