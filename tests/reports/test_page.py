"""Pictures inside pages."""

import base64
from pathlib import Path

import numpy as np
import pytest

from huanjing import Generator
from huanjing.reports import picture_uri
from huanjing.runtime.declared import read_declared
from huanjing.runtime.provenance import provenance


@pytest.mark.parametrize("photograph", [True, False])
def test_a_picture_saved_from_a_page_still_says_what_it_is(photograph: bool, tmp_path: Path) -> None:
    generator = Generator()
    marks = provenance(generator.bundle, [7])
    address = picture_uri(generator.generate([7])[0], photograph=photograph, xmp=marks.xmp)
    (tmp_path / "saved").write_bytes(base64.b64decode(address.partition(",")[2]))
    found = read_declared(tmp_path / "saved")
    assert found.generated == "yes"
    assert found.record == dict(marks.record)
    assert found.label == marks.label


def test_a_picture_without_marks_gets_none(tmp_path: Path) -> None:
    address = picture_uri(np.zeros((8, 8, 3), np.uint8))
    (tmp_path / "saved").write_bytes(base64.b64decode(address.partition(",")[2]))
    assert read_declared(tmp_path / "saved").generated == "unsaid"
