"""``--private`` as a person uses it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from huanjing.bundle import Privacy, load_bundle
from huanjing.cli.generator_privacy import limits, promise, without_looking
from huanjing.cli.generator_run import Asked
from huanjing.cli.model_facts import bundle_facts
from huanjing.errors import UsageError
from huanjing.training import Run

SOURCE = Path(__file__).parents[2] / "src"
SCRIPT = "from huanjing.cli import run; run()"
SPENT = Privacy(
    epsilon=9.98765, delta=1e-5, noise_multiplier=0.4602, clip_norm=1.0, sampling="Poisson", sampling_rate=128 / 60_000,
    updates=5000, adjacency="add or remove one picture", accountant="dp-accounting 0.6.0, privacy loss distributions",
)  # fmt: skip


@pytest.mark.parametrize(
    "asked",
    [
        Asked(minutes=10.0),
        Asked(until="good"),
        Asked(until=20.0),
        Asked(conditional="yes"),
        Asked(augment=0.3),
    ],
)
def test_what_would_look_at_pictures_without_noise_is_refused_by_name(asked: Asked) -> None:
    with pytest.raises(UsageError, match=r"--private cannot go with --\w+.*Leave --"):
        without_looking(asked)


def test_what_would_look_unless_told_is_turned_off() -> None:
    settled = without_looking(Asked(private=10.0, conditional="auto", augment="auto", flip="auto"))
    assert (settled.conditional, settled.augment, settled.flip, settled.until) == ("no", 0.0, "no", "end")
    assert settled.steps
    assert without_looking(Asked(private=10.0, flip="yes", steps=7, batch=9, size="medium")) == Asked(
        private=10.0, flip="yes", steps=7, batch=9, size="medium", conditional="no", augment=0.0, until="end"
    )


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_promise_fits_the_terminal_and_says_all_its_numbers(language: str) -> None:
    from rich.cells import cell_len

    lines = [*promise(SPENT, language), *limits(language)]  # type: ignore[arg-type]
    assert max(map(cell_len, lines)) <= 80
    text = "\n".join(lines)
    for fact in ("9.988", "1e-05", "5,000", "0.213 %", "0.4602", "dp-accounting 0.6.0"):
        assert fact in text


@pytest.mark.training
def test_a_private_run_from_pictures_to_a_model_that_says_what_it_promises(tmp_path: Path) -> None:
    folder, run = tmp_path / "noise", tmp_path / "run"
    pixels = np.random.default_rng(1).integers(0, 256, (200, 8, 8), np.uint8)
    for kind in ("a", "b"):
        (folder / kind).mkdir(parents=True)
    for number, picture in enumerate(pixels):
        Image.fromarray(picture).save(folder / "ab"[number % 2] / f"{number}.png")
    options = ["--resolution", "8", "--channels", "1", "--batch", "8", "--steps", "3", "--run", str(run)]
    words = ["train", "generator", str(folder), "--private", "20", *options]
    environment = os.environ | {"PYTHONPATH": str(SOURCE), "HUANJING_CACHE": str(tmp_path / "cache")}

    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, *words], env=environment, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert "Differential privacy: (ε = " in done.stderr
    assert "Publish nothing else of the run folder" in done.stderr
    bundle = load_bundle(run / "model")
    manifest, privacy = bundle.manifest, bundle.manifest.privacy
    assert privacy is not None
    assert 19 < privacy.epsilon <= 20
    assert (privacy.delta, privacy.sampling_rate, privacy.clip_norm) == (1e-3, 8 / 200, 1.0)
    assert manifest.training.digest == "", "a hash of the pictures would tell whether a set is the one"
    assert not manifest.classes
    assert "--private 20" in manifest.training.command
    assert f"epsilon {privacy.epsilon:g}" in bundle_facts(bundle)["privacy"]
    assert not any(path.name == "noise.key" for path in run.rglob("*"))
    assert Run(run).read_log()[-1]["epsilon"] == pytest.approx(privacy.epsilon, abs=1e-4)
    config = json.loads((run / "config.json").read_text())
    assert (config["augment"], config["held_out"], config["mirror"]) == (0.0, 0, False)
    page = (run / "report.html").read_text()
    assert f"ε = {privacy.epsilon:.4g}" in page
    assert "Do not publish it" in page
