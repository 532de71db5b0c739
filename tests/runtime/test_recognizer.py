"""Recognition: right labels, in order, whatever comes between."""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import huanjing
from huanjing import PictureError, Recognizer, UsageError
from huanjing.bundle import load_bundle
from huanjing.errors import BundleError
from huanjing.images import load_picture
from huanjing.runtime import softmax


@pytest.fixture(scope="module")
def recognizer() -> Recognizer:
    return Recognizer(precision="f32")


def test_an_espresso_is_an_espresso(recognizer: Recognizer, espresso: Path) -> None:
    prediction = recognizer.recognize(espresso)
    assert prediction.path == str(espresso)
    assert prediction.error is None
    assert prediction.labels[0].name == "espresso"
    assert prediction.labels[0].id == "n07920052"
    assert prediction.labels[0].index == 967
    assert prediction.labels[0].probability > 0.9
    assert [label.probability for label in prediction.labels] == sorted(
        (label.probability for label in prediction.labels), reverse=True
    )


def test_names_come_in_chinese(recognizer: Recognizer, espresso: Path) -> None:
    assert recognizer.recognize(espresso, language="zh").labels[0].name == "意式浓缩咖啡"


@pytest.mark.parametrize("size", [(600, 400), (224, 224)], ids=["of a camera", "of the network"])
def test_path_picture_and_array_agree(
    recognizer: Recognizer, espresso: Path, tmp_path: Path, size: tuple[int, int]
) -> None:
    with Image.open(espresso) as opened:
        picture = opened.convert("RGB").resize(size)
    path = tmp_path / "espresso.png"
    picture.save(path)
    answers = [recognizer.recognize(each).labels for each in (path, str(path), picture, np.asarray(picture))]
    assert answers[1:] == answers[:1] * 3


def test_a_picture_that_lies_on_its_side_is_turned_as_its_file_is(
    recognizer: Recognizer, bison: Path, tmp_path: Path
) -> None:
    lying, upright = tmp_path / "lying.png", tmp_path / "upright.png"
    with Image.open(bison) as opened:
        opened.convert("RGB").save(upright)
        exif = Image.Exif()
        exif[0x0112] = 8
        opened.convert("RGB").transpose(Image.Transpose.ROTATE_270).save(lying, exif=exif)
    with Image.open(lying) as picture:
        answers = [recognizer.recognize(each).labels for each in (upright, lying, picture)]
    assert answers[1:] == answers[:1] * 2


def test_a_cut_out_figure_stands_on_white_as_its_file_does(
    recognizer: Recognizer, espresso: Path, tmp_path: Path
) -> None:
    cut = tmp_path / "cut.png"
    with Image.open(espresso) as opened:
        figure = opened.convert("RGBA")
    figure.paste((0, 0, 0, 0), (0, 0, figure.width, 150))
    figure.save(cut)
    assert recognizer.recognize(figure).labels == recognizer.recognize(cut).labels


def test_a_folder_and_a_single_picture_agree(recognizer: Recognizer, espresso: Path, bison: Path) -> None:
    paths = [espresso, bison] * 20
    together = list(recognizer.recognize_all(paths, top=1))
    assert [prediction.path for prediction in together] == [str(path) for path in paths]
    for prediction in together:
        alone = recognizer.recognize(prediction.path, top=1).labels[0]
        assert prediction.labels[0].index == alone.index
        assert prediction.labels[0].probability == pytest.approx(alone.probability, abs=1e-3)


def test_a_broken_picture_takes_nothing_with_it(
    recognizer: Recognizer, espresso: Path, tmp_path: Path
) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(espresso.read_bytes()[:3000])
    paths = [espresso, broken, espresso, tmp_path / "vanished.jpg", *[espresso] * 15]
    predictions = list(recognizer.recognize_all(paths))
    assert [bool(prediction.error) for prediction in predictions] == [False, True, False, True] + [False] * 15
    assert "cut short" in (predictions[1].error or "")
    assert predictions[1].labels == ()
    assert predictions[2].labels[0].name == "espresso"
    with pytest.raises(PictureError, match=r"vanished\.jpg"):
        recognizer.recognize(tmp_path / "vanished.jpg")


def test_no_pictures_give_no_answers(recognizer: Recognizer) -> None:
    assert list(recognizer.recognize_all([])) == []


def test_pictures_are_read_as_they_are_needed(recognizer: Recognizer, espresso: Path) -> None:
    """Millions of paths can be given: only a few batches are taken ahead of the answers."""
    taken = 0

    def endless() -> object:
        nonlocal taken
        while True:
            taken += 1
            yield espresso

    answers = recognizer.recognize_all(endless())  # type: ignore[arg-type]
    for _ in range(10):
        next(answers)
    answers.close()  # type: ignore[attr-defined]
    assert taken <= 10 + 8 * (3 + (os.cpu_count() or 1))


def test_many_threads_may_share_one(recognizer: Recognizer, espresso: Path, bison: Path) -> None:
    answers: dict[int, str] = {}

    def work(number: int) -> None:
        path = (espresso, bison)[number % 2]
        answers[number] = recognizer.recognize(path).labels[0].name

    threads = [threading.Thread(target=work, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [answers[number] for number in range(12)] == ["espresso", "bison"] * 6


def test_grey_and_tiny_pictures_are_recognised(recognizer: Recognizer) -> None:
    assert len(recognizer.recognize(np.zeros((1, 1, 1), np.uint8), top=5).labels) == 5
    assert len(recognizer.recognize(np.zeros((1, 900, 3), np.uint8), top=5).labels) == 5


@pytest.mark.parametrize("shape", [(4, 4), (4, 4, 2), (1, 4, 4, 3)])
def test_an_array_of_another_shape_is_refused(recognizer: Recognizer, shape: tuple[int, ...]) -> None:
    with pytest.raises(UsageError, match="HWC uint8"):
        recognizer.recognize(np.zeros(shape, np.uint8))


def test_features_tell_pictures_apart(recognizer: Recognizer) -> None:
    random = np.random.default_rng(0)
    pictures = random.integers(0, 256, (20, 28, 28, 1), dtype=np.uint8)
    pictures[10:] //= 8
    features = recognizer.features(pictures)
    assert features.shape == (20, 1280)
    assert features.dtype == np.float32
    within = np.linalg.norm(features[0] - features[1])
    between = np.linalg.norm(features[0] - features[15])
    assert between > 2 * within


def test_features_of_what_a_function_loads(recognizer: Recognizer, espresso: Path, bison: Path) -> None:
    """A function runs once, in a thread that decodes; its error takes its picture's place."""
    ran: list[tuple[Path, bool]] = []

    def loader(path: Path) -> Callable[[], Image.Image]:
        def load() -> Image.Image:
            ran.append((path, threading.current_thread() is threading.main_thread()))
            return load_picture(path)

        return load

    paths = [espresso, bison, espresso.parent / "gone.jpg", bison, espresso]
    found = list(recognizer.features_all(map(loader, paths)))
    assert sorted(ran) == sorted((path, False) for path in paths)
    assert isinstance(found[2], PictureError)
    for path, features in zip(paths, found, strict=True):
        if not isinstance(features, PictureError):
            pixels = np.asarray(load_picture(path))[None]
            assert features == pytest.approx(recognizer.features(pixels)[0], abs=1e-3)


def test_the_embedded_model_gives_its_reference(recognizer: Recognizer) -> None:
    assert recognizer.check() < 0.02


def test_a_reference_that_is_not_met_is_an_error(recognizer: Recognizer) -> None:
    with pytest.raises(BundleError, match="away from its reference"):
        recognizer.check(tolerance=1e-9)


def test_an_unknown_precision_is_refused(espresso: Path) -> None:
    with pytest.raises(UsageError, match="auto, f32 or bf16"):
        Recognizer(precision="f16").recognize(espresso)  # type: ignore[arg-type]


def test_a_graph_that_is_none_is_an_error(tmp_path: Path) -> None:
    from huanjing.bundle import Manifest, PictureInput, TrainingSummary, write_bundle

    def write(folder: Path) -> None:
        (folder / "graph.xml").write_text("<net/>")
        (folder / "graph.bin").write_bytes(b"")

    manifest = Manifest(
        format=1,
        kind="recognizer",
        name="empty",
        architecture="none",
        input=PictureInput(8, 8),
        training=TrainingSummary("nothing"),
        licence="Apache-2.0",
        origin="this test",
    )
    bundle = write_bundle(tmp_path / "empty", manifest, write)
    with pytest.raises(BundleError, match="OpenVINO cannot use this graph"):
        Recognizer(load_bundle(bundle.folder)).recognize(np.zeros((8, 8, 3), np.uint8))


def test_softmax_is_sound_for_large_logits() -> None:
    probabilities = softmax(np.array([[1000.0, 1000.0, -1000.0]], np.float32))
    assert probabilities == pytest.approx(np.array([[0.5, 0.5, 0.0]]))


def test_recognising_never_imports_tensorflow(espresso: Path) -> None:
    program = (
        "import sys, huanjing; p = huanjing.recognize(sys.argv[1]); assert p.labels[0].name == 'espresso';"
        "assert 'tensorflow' not in sys.modules and 'keras' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program, str(espresso)], check=True)


def test_the_cache_may_be_unwritable(espresso: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    program = "import sys, huanjing; print(huanjing.recognize(sys.argv[1], 1).labels[0].name)"
    done = subprocess.run(
        [sys.executable, "-c", program, str(espresso)],
        check=True, capture_output=True, text=True, env=os.environ | {"HUANJING_CACHE": str(blocked)},
    )  # fmt: skip
    assert done.stdout == "espresso\n"


def test_the_shortcut_takes_the_embedded_model(espresso: Path) -> None:
    assert huanjing.recognize(espresso, top=2).labels[0].name == "espresso"
