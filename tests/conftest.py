"""What all tests share: a cache of their own, and the sample photographs."""

import os
import tempfile
from pathlib import Path

import pytest

# Before anything of Huanjing is imported: tests never touch the cache or the models of whoever runs them.
_CACHE = tempfile.TemporaryDirectory(prefix="huanjing-test-cache-")
os.environ["HUANJING_CACHE"] = _CACHE.name
os.environ["HUANJING_HOME"] = str(Path(_CACHE.name) / "home")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import huanjing  # noqa: E402, F401  (before TensorFlow, as in every command)

PHOTOGRAPHS = Path(__file__).parent.parent / "src" / "huanjing" / "assets" / "photographs"


@pytest.fixture
def espresso() -> Path:
    """A photograph of a cup of espresso, 600×400."""
    return PHOTOGRAPHS / "espresso.jpg"


@pytest.fixture
def bison() -> Path:
    """A photograph of an American bison, 800×600."""
    return PHOTOGRAPHS / "american-bison.jpg"
