"""Where a network looks: the map is the logit's own, and its places are the picture's."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import msgspec
import numpy as np
import pytest
from PIL import Image

from huanjing.bundle import Bundle, ClassName, PictureInput, find_model, write_bundle
from huanjing.datasets import photographs
from huanjing.errors import PictureError, UsageError
from huanjing.images import fit
from huanjing.recognition.explain import Explainer, Explanation, find_class
from huanjing.recognition.explain_head import read_head
from huanjing.recognition.explain_occlusion import log_odds
from huanjing.recognition.explain_overlay import overlay
from huanjing.recognition.explain_regions import hot_boxes, input_frame, regions
from huanjing.runtime import Recognizer, softmax
from huanjing.runtime.silent import ov

ESPRESSO, RED_PANDA, BISON = 967, 387, 347


@pytest.fixture(scope="module")
def explainer() -> Explainer:
    return Explainer(method="cam")


def photograph(name: str) -> Image.Image:
    with Image.open(next(one.path for one in photographs() if one.file == f"{name}.jpg")) as opened:
        return opened.convert("RGB")


def side_by_side(left: str, right: str, side: int = 400) -> Image.Image:
    """Two photographs, each the middle of its own, on one square picture."""
    both = Image.new("RGB", (side, side))
    for place, name in ((0, left), (side // 2, right)):
        both.paste(fit(photograph(name), side, side // 2, mode="crop"), (place, 0))
    return both


def share_of_left_half(explanation: Explanation) -> float:
    """Of the heat. Both halves are seen to the same part."""
    heat = explanation.heat
    return float(heat[:, : heat.shape[1] // 2].sum() / heat.sum())


def with_input(bundle: Bundle, folder: Path, **changes: object) -> Bundle:
    """The same network, to which pictures are fitted in another way."""
    manifest = msgspec.structs.replace(
        bundle.manifest, input=msgspec.structs.replace(bundle.picture_input, **changes)
    )

    def copy(aside: Path) -> None:
        for name in ("graph.xml", "graph.bin"):
            (aside / name).write_bytes((bundle.folder / name).read_bytes())

    return write_bundle(folder, manifest, copy)


def test_the_mean_of_the_map_is_the_logit_less_its_bias(explainer: Explainer, espresso: Path) -> None:
    """And its probability is what recognition says."""
    found = explainer.explain(espresso)[0]
    head = read_head(explainer.bundle)
    assert head is not None
    picture = fit(photograph("espresso"), 224, 224, mode="crop", crop_fraction=0.875)
    recognizer = Recognizer(explainer.bundle, precision="f32")
    logits = recognizer.logits(np.asarray(picture)[None])[0]
    assert found.label.index == ESPRESSO
    assert found.figures.mean + head.bias[ESPRESSO] == pytest.approx(logits[ESPRESSO], abs=1e-3)
    assert found.label.probability == pytest.approx(softmax(logits)[ESPRESSO], abs=1e-4)
    assert (found.figures.rows, found.figures.columns) == (7, 7)


@pytest.mark.parametrize(
    ("left", "right", "classes"),
    [("espresso", "red-panda", (ESPRESSO, RED_PANDA)), ("american-bison", "espresso", (BISON, ESPRESSO))],
)
def test_of_two_pictures_the_map_points_at_the_one_that_is_asked_for(
    explainer: Explainer, left: str, right: str, classes: tuple[int, int]
) -> None:
    both = side_by_side(left, right)
    first, second = explainer.explain(both, classes)
    assert share_of_left_half(first) > 0.75
    assert share_of_left_half(second) < 0.25
    assert first.boxes[0].x + first.boxes[0].width / 2 < 200 < second.boxes[0].x + second.boxes[0].width / 2


def test_occlusion_points_at_the_same_place() -> None:
    both = side_by_side("espresso", "red-panda")
    told: list[tuple[int, int]] = []
    first, second = Explainer(method="occlusion").explain(
        both, (ESPRESSO, RED_PANDA), on_progress=lambda done, total: told.append((done, total))
    )
    assert first.method == "occlusion"
    assert share_of_left_half(first) > 0.75
    assert share_of_left_half(second) < 0.25
    assert told[-1] == (196, 196)


def test_without_its_hottest_part_the_network_no_longer_sees_it(explainer: Explainer) -> None:
    """Grey over the hottest box takes more from the probability than grey over its mirror image on the other half."""
    for left, right, index in (("espresso", "red-panda", ESPRESSO), ("american-bison", "espresso", BISON)):
        both = side_by_side(left, right)
        box = explainer.explain(both, [index])[0].boxes[0]
        size = box.width, box.height
        hot = probability_without(explainer, both, (box.x, box.y, *size), index)
        cold = probability_without(explainer, both, (400 - box.x - box.width, box.y, *size), index)
        assert hot < 0.5 * cold, left


def probability_without(
    explainer: Explainer, picture: Image.Image, place: tuple[int, int, int, int], index: int
) -> float:
    x, y, width, height = place
    covered = picture.copy()
    covered.paste((127, 127, 127), (x, y, x + width, y + height))
    return explainer.explain(covered, [index])[0].label.probability


@pytest.mark.parametrize("mode", ["crop", "squash", "pad"])
@pytest.mark.parametrize("size", [(900, 500), (500, 900)])
def test_boxes_are_places_in_the_picture_however_it_is_fitted(
    mode: Literal["crop", "squash", "pad"], size: tuple[int, int], tmp_path: Path
) -> None:
    """A small espresso off the middle of a large grey picture."""
    bundle = with_input(find_model(None, "recognizer"), tmp_path / "model", fit=mode, crop_fraction=1.0)
    picture = Image.new("RGB", size, (120, 120, 120))
    place = (size[0] // 2 + 20, size[1] // 2 - 220)
    picture.paste(fit(photograph("espresso"), 210, 210, mode="crop"), place)
    found = Explainer(bundle, method="cam").explain(picture, [ESPRESSO])[0]
    box = found.boxes[0]
    middle = box.x + box.width / 2, box.y + box.height / 2
    assert place[0] < middle[0] < place[0] + 210
    assert place[1] < middle[1] < place[1] + 210
    assert box.x >= found.seen.x
    assert box.x + box.width <= found.seen.x + found.seen.width <= size[0]
    drawn = overlay(found)
    assert drawn.shape == (size[1], size[0], 3)


@pytest.mark.parametrize("mode", ["crop", "squash", "pad"])
@pytest.mark.parametrize("target", [(40, 40), (30, 60)])
@pytest.mark.parametrize("size", [(301, 200), (123, 400), (17, 90)])
def test_a_frame_undoes_what_fitting_does(
    mode: Literal["crop", "squash", "pad"], target: tuple[int, int], size: tuple[int, int]
) -> None:
    """On a picture whose colours are its coordinates."""
    fraction = 0.8 if mode == "crop" else 1.0
    into = PictureInput(*target, fit=mode, crop_fraction=fraction)
    across, down = (np.arange(length) + 0.5 for length in size)
    pixels = np.zeros((size[1], size[0], 3), np.uint8)
    pixels[..., 0] = (across * 255 / size[0])[None, :]
    pixels[..., 1] = (down * 255 / size[1])[:, None]
    fitted = np.asarray(fit(Image.fromarray(pixels), *target, mode=mode, crop_fraction=fraction), np.float64)
    frame = input_frame(*size, into)
    row, column = target[0] // 2, target[1] // 2 + target[1] // 9
    x = frame.left + (column + 0.5) / target[1] * (frame.right - frame.left)
    y = frame.upper + (row + 0.5) / target[0] * (frame.lower - frame.upper)
    if 1 < x < size[0] - 1 and 1 < y < size[1] - 1:
        assert fitted[row, column, 0] == pytest.approx(x * 255 / size[0], abs=255 / size[0] + 1)
        assert fitted[row, column, 1] == pytest.approx(y * 255 / size[1], abs=255 / size[1] + 1)


def test_a_picture_that_was_turned_is_explained_as_it_is_seen(explainer: Explainer, tmp_path: Path) -> None:
    """A camera held sideways: the stored pixels lie, the orientation in the metadata says so."""
    upright = side_by_side("espresso", "red-panda").crop((0, 0, 400, 380))
    stored = upright.transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6
    path = tmp_path / "turned.jpg"
    stored.save(path, exif=exif, quality=95)
    found = explainer.explain(path, [RED_PANDA])[0]
    assert (found.width, found.height) == (400, 380)
    assert found.boxes[0].x + found.boxes[0].width / 2 > 200


def test_auto_takes_the_map_where_there_is_one(explainer: Explainer, espresso: Path) -> None:
    auto, asked = Explainer().explain(espresso)[0], explainer.explain(espresso)[0]
    assert auto.method == "cam"
    np.testing.assert_array_equal(auto.heat, asked.heat)


def tiny(folder: Path, ending: str) -> Bundle:
    """A network of two classes on 8×8 pictures: red above green, green above red; as people may end theirs."""
    ops = ov.opset15
    picture = ops.parameter([-1, 8, 8, 3], np.uint8, name="picture")
    picture.output(0).get_tensor().set_names({"picture"})
    x = ops.transpose(ops.convert(picture, "f32"), np.int64([0, 3, 1, 2]))
    x = ops.multiply(x, np.float32(1 / 255))
    x.output(0).get_tensor().set_names({"feature_map"})
    kernel = np.float32([[4, -4, 0], [-4, 4, 0]])
    pool = ops.reduce_max if ending == "maximum" else ops.reduce_mean
    pooled = pool(x, np.int64([2, 3]), keep_dims=ending == "convolution")
    if ending == "convolution":
        y = ops.convolution(pooled, kernel[..., None, None], [1, 1], [0, 0], [0, 0], [1, 1])
        y = ops.add(y, np.float32([1, 0]).reshape(1, 2, 1, 1))
        logits = ops.reshape(y, np.int64([-1, 2]), special_zero=False)
    else:
        y = ops.matmul(pooled, np.ascontiguousarray(kernel.T), False, False)
        y = ops.relu(y) if ending == "activation" else y
        logits = ops.add(np.float32([1, 0]), y)
    logits.output(0).get_tensor().set_names({"logits"})
    graph = ov.Model([ops.result(x), ops.result(logits)], [picture], "tiny")
    embedded = find_model(None, "recognizer").manifest
    manifest = msgspec.structs.replace(
        embedded,
        name="tiny",
        architecture="tiny",
        input=PictureInput(8, 8),
        classes=[ClassName("red", "red", "红"), ClassName("green", "green", "绿")],
    )
    return write_bundle(folder, manifest, lambda aside: ov.save_model(graph, aside / "graph.xml", False))


def red_right_of_green() -> Image.Image:
    picture = Image.new("RGB", (8, 8), (0, 200, 0))
    picture.paste((255, 0, 0), (4, 0, 8, 8))
    return picture


@pytest.mark.parametrize(
    ("ending", "method"),
    [("dense", "cam"), ("convolution", "cam"), ("activation", "occlusion"), ("maximum", "occlusion")],
)
def test_what_is_not_the_mean_of_a_map_is_never_taken_for_one(
    ending: str, method: str, tmp_path: Path
) -> None:
    found = Explainer(tiny(tmp_path / "tiny", ending)).explain(red_right_of_green(), [0])[0]
    assert found.method == method
    if ending != "maximum":
        assert share_of_left_half(found) < 0.3
    if method == "occlusion":
        with pytest.raises(UsageError, match="--method occlusion"):
            Explainer(tiny(tmp_path / "tiny", ending), method="cam").explain(red_right_of_green())


def test_a_network_without_a_feature_map_is_asked_by_occlusion(tmp_path: Path) -> None:
    bundle = tiny(tmp_path / "tiny", "dense")

    def without(aside: Path) -> None:
        graph = ov.Core().read_model(bundle.graph)
        ov.save_model(
            ov.Model([graph.output("logits")], graph.get_parameters(), "tiny"), aside / "graph.xml", False
        )

    bundle = write_bundle(tmp_path / "less", bundle.manifest, without)
    assert Explainer(bundle).explain(red_right_of_green())[0].method == "occlusion"
    with pytest.raises(UsageError, match="no class-activation maps"):
        Explainer(bundle, method="cam")


def test_log_odds_by_hand() -> None:
    logits = np.log([[0.7, 0.2, 0.1]])
    assert log_odds(logits, [0, 2]) == pytest.approx(np.log([[0.7 / 0.3, 0.1 / 0.9]]))
    assert np.isfinite(log_odds(np.array([800.0, -800.0]), [0])).all()


def test_regions_and_their_boxes_by_hand() -> None:
    heat = np.zeros((10, 10), np.float32)
    heat[1:3, 1:4] = 10
    heat[3, 4] = 10  # touches at a corner
    heat[8, 7:9] = 5
    heat[9, 0] = 1  # under the threshold
    assert len(regions(heat > 4)) == 2
    hot, warm = hot_boxes(heat, input_frame(100, 50, PictureInput(10, 10, fit="squash")), 100, 50)
    assert (hot.x, hot.y, hot.width, hot.height) == (10, 5, 40, 15)
    assert (warm.x, warm.y, warm.width, warm.height) == (70, 40, 20, 5)
    assert (hot.share, hot.mean_heat) == (pytest.approx(70 / 81), 10)
    assert hot_boxes(np.zeros((4, 4), np.float32), input_frame(9, 9, PictureInput(4, 4)), 9, 9) == []


def test_classes_are_found_by_name_id_and_number() -> None:
    classes = find_model(None, "recognizer").manifest.classes
    for wanted in ("espresso", "Espresso", "意式浓缩咖啡", "n07920052", "967"):
        assert find_class(wanted, classes) == ESPRESSO
    with pytest.raises(UsageError, match="espresso maker"):
        find_class("espreso maker", classes)
    with pytest.raises(UsageError, match="0 to 999"):
        find_class("1000", classes)
    # A class may be called by a number, and two by the same name.
    digits = [ClassName(str(9 - k), str(9 - k)) for k in range(10)]
    assert find_class("9", digits) == 0
    cranes = [ClassName("n1", "crane"), ClassName("n2", "crane")]
    with pytest.raises(UsageError, match=r"0 \(n1\), 1 \(n2\)"):
        find_class("crane", cranes)


def test_an_overlay_shows_the_heat_where_it_is(explainer: Explainer) -> None:
    both = side_by_side("espresso", "red-panda")
    drawn = overlay(explainer.explain(both, [RED_PANDA])[0]).astype(int)
    # Hot is light and yellow: more red than blue.
    warmth = (drawn[..., 0] - drawn[..., 2])[25:375]
    assert warmth[:, 225:375].mean() > warmth[:, 25:175].mean() + 20
    small = overlay(explainer.explain(both.resize((40, 40)), [RED_PANDA])[0])
    assert small.shape == (400, 400, 3)


def test_a_picture_that_cannot_be_read_says_so(explainer: Explainer, tmp_path: Path) -> None:
    (tmp_path / "none.jpg").write_bytes(b"none")
    with pytest.raises(PictureError, match=r"none\.jpg"):
        explainer.explain(tmp_path / "none.jpg")
