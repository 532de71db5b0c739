"""``huanjing inspect`` as somebody at a shell meets it."""

import json
from pathlib import Path

from .test_recognize import huanjing


def test_a_generated_picture_and_a_photograph(tmp_path: Path, espresso: Path) -> None:
    huanjing("generate", "--seeds", 7, "-o", tmp_path)
    picture = tmp_path / "seed-00000007.png"
    done = huanjing("inspect", picture, espresso)
    assert done.returncode == 0
    assert done.stderr == ""
    for said in ("says it was generated", "clothing-28", "trainedAlgorithmicMedia", "does not say"):
        assert said in done.stdout
    assert max(len(line) for line in done.stdout.splitlines() if not line.startswith("/")) <= 80
    chinese = huanjing("inspect", picture, "--lang", "zh").stdout
    assert "声明由模型生成" in chinese
    assert "AIGC 隐式标识" in chinese


def test_the_films_of_a_folder_are_read_too(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"\0\0\0\x18ftypisom\0\0\2\0isomiso2")
    (tmp_path / "notes.txt").write_text("neither")
    (found,) = json.loads(huanjing("inspect", tmp_path, "--format", "json").stdout)
    assert (found["format"], found["generated"]) == ("MP4", "unsaid")


def test_json_has_everything_and_names_what_failed(tmp_path: Path) -> None:
    huanjing("generate", "--seeds", "7-8", "-o", tmp_path)
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    done = huanjing("inspect", tmp_path, "--format", "json")
    assert done.returncode == 1
    assert "broken.png" in done.stderr
    found = json.loads(done.stdout)
    assert [each["generated"] for each in found] == ["unsaid", "yes", "yes"]
    assert found[0]["error"]
    assert found[1]["record"]["seeds"] == "7"
    assert found[1]["label"]["Label"] == "1"
