"""Training a recogniser on real and generated pictures, and what a generator's pictures teach."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result
from rich.cells import cell_len

from huanjing.bundle import load_bundle
from huanjing.cli.evaluate import evaluate
from huanjing.cli.train_recognizer import recognizer
from huanjing.datasets import prepare_pictures
from huanjing.datasets.generated import Request, generated_pictures
from huanjing.errors import RunError, UsageError
from huanjing.runtime import Generator, Recognizer
from tests.bars import CLASSES, make_generator, write_bars

pytestmark = pytest.mark.training


@pytest.fixture(scope="module")
def bars(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder: a generator that makes bars of both classes."""
    return make_generator(tmp_path_factory.mktemp("generators") / "bars", steps=60)


@pytest.fixture(scope="module")
def noise(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run folder: a generator with the same classes that never learned."""
    return make_generator(tmp_path_factory.mktemp("generators") / "noise", steps=0)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_bars(tmp_path / "set" / "train", 10)
    write_bars(tmp_path / "set" / "test", 10, seed=1)
    return tmp_path / "set"


def train(*words: object) -> Result:
    return CliRunner().invoke(recognizer, [str(word) for word in words], standalone_mode=False)


def refusal(*words: object) -> Exception:
    raised = train(*words).exception
    assert isinstance(raised, Exception)
    return raised


def config_of(run: Path) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((run / "config.json").read_text(encoding="utf-8"))
    return content


def contents(folder: Path) -> dict[str, str]:
    return {
        str(path): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_file()
    }


def test_a_generated_picture_is_what_its_file_would_be(bars: Path, tmp_path: Path) -> None:
    from huanjing.cli.generate import generate

    requests = [Request("upright", 1, range(40, 44)), Request("across", 0, range(3, 5))]
    for one in requests:
        words = [str(bars), "--class", one.label, "-n", str(len(one.seeds)), "--seed", str(one.seeds[0])]
        CliRunner().invoke(generate, [*words, "-o", str(tmp_path / one.label)], standalone_mode=False)
    made = generated_pictures(Generator(bars), requests, (12, 10), 3)
    files = prepare_pictures(tmp_path, (12, 10), 3)
    assert made.labels == ["upright"] * 4 + ["across"] * 2
    order = [made.names.index(name.removesuffix(".png")) for name in files.names]
    np.testing.assert_array_equal(made.array[order], files.array)


def test_generated_pictures_are_learned_from_and_judge_nothing(
    bars: Path, folder: Path, tmp_path: Path
) -> None:
    before = contents(folder)
    result = train(folder, "--run", tmp_path / "plain")
    assert result.return_value == 0, result.output
    result = train(folder, "--run", tmp_path / "both", "--add-generated", bars, "--share", 0.6)
    assert result.return_value == 0, result.output
    assert "24 pictures made by bars, 60% of each class" in result.stderr
    assert contents(folder) == before

    config = config_of(tmp_path / "both")
    made = config["generated"]
    assert config["data"] == config_of(tmp_path / "plain")["data"], "the folder's pictures alone"
    # Of ten pictures of a class, two judge, and twelve are 60 % of twenty.
    assert made["seeds"] == {"across": "0-11", "upright": "12-23"}
    assert (made["pictures"], made["share"], made["generator"]) == (24, 0.6, "bars")
    assert made["sha256"] == Generator(bars).bundle.digest
    plain, both = (load_bundle(tmp_path / name / "model") for name in ("plain", "both"))
    told = both.manifest.training
    assert (told.pictures, told.generated and told.generated.seeds) == (40, made["seeds"])
    assert f"--add-generated {bars} --share 0.6" in told.command
    assert plain.manifest.training.generated is None

    # What validates, and what counts as known, are the same real pictures as without.
    for file, arrays in (("reference.npz", ["input"]), ("novelty.npz", ["means", "directions", "rest"])):
        with np.load(plain.folder / file) as one, np.load(both.folder / file) as other:
            for name in arrays:
                np.testing.assert_array_equal(one[name], other[name], err_msg=name)
    by = {figure.name: figure.protocol for figure in both.manifest.figures}
    assert by["top1_validation"].startswith("share of 4 pictures")
    assert "flatters if bars learned from them" in by["top1_test"]
    pictures = np.zeros((2, *Recognizer(both).shape), np.uint8)
    assert not np.array_equal(Recognizer(plain).logits(pictures), Recognizer(both).logits(pictures))


def test_the_run_goes_on_with_the_same_pictures_or_not_at_all(
    bars: Path, noise: Path, folder: Path, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    train(folder, "--run", run, "--add-generated", bars, "--seed", 2)
    assert config_of(run)["generated"]["seeds"]["across"].startswith("2000000-")
    graph = (run / "model" / "graph.bin").read_bytes()
    assert train(folder, "--run", run).return_value == 0
    assert (run / "model" / "graph.bin").read_bytes() == graph
    raised = refusal(folder, "--run", run, "--share", 0.2)
    assert isinstance(raised, RunError)
    assert "--share was 0.5, now 0.2" in str(raised)
    assert "--add-generated was" in str(refusal(folder, "--run", run, "--add-generated", noise))
    config = config_of(run)
    config["add_generated"] = str(noise)
    (run / "config.json").write_text(json.dumps(config), encoding="utf-8")
    assert "is not the generator that the run was started with" in str(refusal(folder, "--run", run))


def test_from_scratch_a_pass_goes_over_both_kinds(bars: Path, folder: Path, tmp_path: Path) -> None:
    run = tmp_path / "run"
    words = (folder, "--run", run, "--from", "scratch", "--epochs", 1, "--batch", 8)
    assert train(*words, "--add-generated", bars, "--share", 0.75).return_value == 0
    steps = [json.loads(line)["step"] for line in (run / "log.jsonl").read_text().splitlines()]
    assert steps[-1] == (16 + 48) / 8


def test_what_cannot_be_added_is_refused(bars: Path, folder: Path, tmp_path: Path) -> None:
    others = write_bars(tmp_path / "others", 6, names=("upright", "slanting"))
    untold = make_generator(tmp_path / "untold", steps=0, told=False)
    for words, message in (
        (
            (others, "--add-generated", bars),
            r"1 of the folder's 2 classes: 'slanting'. It knows 'across', 'upright'",
        ),
        ((folder, "--add-generated", untold), "was taught no classes.*--conditional yes"),
        ((folder, "--share", 0.5), "name the generator too"),
        ((folder, "--add-generated", bars, "--share", 1), "not in the range"),
    ):
        raised = refusal(*words, "--run", tmp_path / "run")
        assert re.search(message, str(raised)), raised
    assert isinstance(refusal(others, "--add-generated", bars, "--run", tmp_path / "run"), UsageError)
    assert not (tmp_path / "run").exists()


def judge(model: object, folder: Path, output: Path, language: str = "en") -> tuple[Result, dict[str, Any]]:
    words = [model, folder, "-n", 20, "-o", output, "--lang", language]
    result = CliRunner().invoke(evaluate, [str(word) for word in words], standalone_mode=False)
    assert result.return_value == 0, result.output
    report: dict[str, Any] = json.loads((output / "report.json").read_text(encoding="utf-8"))
    return result, report


@pytest.mark.parametrize(("language", "words"), [("en", "20 generated ones"), ("zh", "20 张生成的")])
def test_what_its_pictures_teach_stands_beside_what_real_ones_do(
    bars: Path, folder: Path, tmp_path: Path, language: str, words: str
) -> None:
    result, report = judge(bars, folder, tmp_path / "out", language)
    assert words in result.stdout
    assert max(map(cell_len, result.stdout.splitlines())) <= 80
    taught = report["taught"]
    assert taught["name"] == "train_on_generated_lite0_20_test"
    assert taught["classes"] == list(CLASSES)
    assert (taught["learned"], taught["tested"], taught["chance"]) == (20, 20, 0.5)
    assert taught["seeds"] == "20-39"
    assert 0.0 <= taught["generated"]["value"] <= taught["real"]["value"]
    assert taught["real"]["value"] >= 0.9
    assert taught["name"] in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_noise_teaches_about_as_much_as_chance(noise: Path, folder: Path, tmp_path: Path) -> None:
    _, report = judge(noise, folder, tmp_path / "out")
    taught = report["taught"]
    assert taught["generated"]["low"] <= 0.75
    assert taught["real"]["value"] >= 0.9


def test_without_common_classes_it_says_why_nothing_is_taught(bars: Path, tmp_path: Path) -> None:
    for part in ("train", "test"):
        write_bars(tmp_path / "set" / part, 10, names=("upright", "slanting"))
    result, report = judge(bars, tmp_path / "set", tmp_path / "out")
    assert report["taught"] is None
    assert "nothing_to_teach" in {warning["code"] for warning in report["warnings"]}
    assert "What its pictures can teach was not measured" in " ".join(result.stdout.split())
