"""What ``import huanjing`` offers, and what it costs."""

import subprocess
import sys

import pytest

import huanjing


def test_every_public_name_is_there() -> None:
    for name in huanjing.__all__:
        assert getattr(huanjing, name).__name__ == name


def test_all_is_sorted_and_matches_dir() -> None:
    assert list(huanjing.__all__) == sorted(huanjing.__all__)
    assert set(dir(huanjing)) == {*huanjing.__all__, "__version__"}


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'recognise'"):
        _ = huanjing.recognise  # type: ignore[attr-defined]


def test_importing_costs_nothing() -> None:
    program = "import sys, huanjing; print(sorted({'numpy', 'PIL', 'openvino'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout == "[]\n"


def test_errors_are_one_family() -> None:
    for name in huanjing.__all__:
        if name.endswith("Error"):
            assert issubclass(getattr(huanjing, name), huanjing.HuanjingError)
