"""How unlike all that it was taught a picture is to a model, from stored numbers."""

from __future__ import annotations

from pathlib import Path

import msgspec
import numpy as np
import pytest

from huanjing.bundle import Bundle, find_model, write_bundle
from huanjing.bundle.manifest import NOVELTY, Novelty
from huanjing.errors import BundleError, UsageError
from huanjing.recognition.novelty import FittedNovelty
from huanjing.runtime import Label, Prediction, Recognizer
from huanjing.runtime.novelty import METHOD, KnownFeatures, NoveltyScore, load_novelty, unit


def some_known(width: int = 6) -> KnownFeatures:
    draw = np.random.default_rng(0)
    directions, _ = np.linalg.qr(draw.normal(size=(width, 2)))
    return KnownFeatures(
        draw.normal(size=(3, width)).astype(np.float32),
        directions.astype(np.float32),
        np.float32([9, 4]),
        0.5,
    )


def with_novelty(folder: Path, known: KnownFeatures, told: Novelty) -> Bundle:
    embedded = find_model(None, "recognizer")

    def write(aside: Path) -> None:
        for name in ("graph.xml", "graph.bin"):
            (aside / name).write_bytes((embedded.folder / name).read_bytes())
        FittedNovelty(told, known).save(aside)

    return write_bundle(folder, msgspec.structs.replace(embedded.manifest, novelty=told), write)


def test_the_distance_is_that_of_the_whole_covariance() -> None:
    known = some_known()
    rest = np.eye(6) - known.directions @ known.directions.T
    covariance = (known.directions * known.variances) @ known.directions.T + known.rest * rest
    features = np.random.default_rng(1).normal(size=(5, 6)).astype(np.float32)
    apart = unit(features)[:, None] - known.means
    expected = np.einsum("ncd,de,nce->nc", apart, np.linalg.inv(covariance), apart).min(axis=1)
    np.testing.assert_allclose(np.exp(known.distance(features)), expected, rtol=1e-5)


def test_zero_is_usual_and_one_is_the_threshold() -> None:
    known = some_known()
    features = np.random.default_rng(1).normal(size=(5, 6)).astype(np.float32)
    distance = known.distance(features)
    score = NoveltyScore(known, centre=distance[0], scale=distance[1] - distance[0])
    assert score.of(features)[:2] == pytest.approx([0, 1])


def test_a_bundle_answers_in_one_inference(tmp_path: Path, espresso: Path, bison: Path) -> None:
    """With the espresso for the only thing known, the bison is novel; on folders and on single pictures."""
    plain = Recognizer(precision="f32")
    features = next(iter(plain._stream([espresso], ("features",), plain.input)))
    assert isinstance(features, np.ndarray)
    means = unit(features[None]).astype(np.float32)
    known = KnownFeatures(means, np.zeros((1280, 0), np.float32), np.zeros(0, np.float32), 1.0)
    bundle = with_novelty(tmp_path / "model", known, Novelty(METHOD, -12.0, 10.0, 0.95, 1))
    recognizer = Recognizer(bundle, precision="f32")
    single = [recognizer.recognize(path, novelty=True) for path in (espresso, bison)]
    together = list(recognizer.recognize_all([espresso, bison], novelty=True))
    for answers in (single, together):
        assert [answer.unknown for answer in answers] == [False, True]
        assert answers[0].labels == pytest.approx(plain.recognize(espresso).labels)
    assert single[1].novelty == pytest.approx(together[1].novelty, rel=1e-3)
    assert plain.recognize(espresso).novelty is None


def test_a_model_that_cannot_tell_says_so(espresso: Path) -> None:
    recognizer = Recognizer()
    with pytest.raises(UsageError, match="huanjing train recognizer"):
        recognizer.recognize(espresso, novelty=True)
    with pytest.raises(UsageError, match="--threshold"):
        next(recognizer.recognize_all([espresso], novelty=True))


def test_what_is_stored_is_checked(tmp_path: Path) -> None:
    told = Novelty(METHOD, 0.0, 1.0, 0.95, 10)
    known = some_known()
    later = with_novelty(tmp_path / "later", known, Novelty("flow", 0.0, 1.0, 0.95, 10))
    with pytest.raises(BundleError, match="Upgrade"):
        load_novelty(later)
    for number, broken in enumerate(
        (
            KnownFeatures(known.means[:, :5], known.directions, known.variances, 1.0),
            KnownFeatures(known.means, known.directions, -known.variances, 1.0),
            KnownFeatures(known.means * np.nan, known.directions, known.variances, 1.0),
        )
    ):
        with pytest.raises(BundleError, match="fit together"):
            load_novelty(with_novelty(tmp_path / str(number), broken, told))
    gone = with_novelty(tmp_path / "gone", known, told)
    (gone.folder / NOVELTY).write_bytes(b"none")
    with pytest.raises(BundleError, match="cannot be read"):
        load_novelty(gone)


def test_a_prediction_says_it_only_where_it_was_asked() -> None:
    labels = (Label(0, "cup", "cup", 0.9),)
    assert set(Prediction("a.png", labels).to_dict()) == {"path", "labels", "error"}
    strange = Prediction("a.png", labels, novelty=2.5)
    assert strange.to_dict()["unknown"] is True
    assert strange.to_dict()["novelty"] == 2.5
    assert strange.or_unknown().labels == ()
    assert Prediction("a.png", labels, novelty=0.5).or_unknown().labels == labels
    assert Prediction("a.png", labels).unknown is None
