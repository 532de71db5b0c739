"""What the layers of a convolutional network make of a photograph: python examples/piece_by_piece.py [FOLDER] [MODEL].

The pictures of docs/en/classic-network.md are made by it. With VGG16 (`huanjing models fetch vgg16`) as MODEL, the
pooling layers are its own; the embedded network has none and halves the picture by stride.
"""

import sys
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

from huanjing.bundle import find_model
from huanjing.datasets import photographs
from huanjing.images import encode_png, fit, load_picture, picture_grid
from huanjing.recognition.layers import LayerOutput, layer_outputs
from huanjing.runtime import Recognizer

SHOWN, SIDE = 8, 168


def strongest(values: np.ndarray) -> np.ndarray:
    """The eight channels that differ most over the picture."""
    return np.sort(np.argsort(-values.std(axis=(1, 2)), kind="stable")[:SHOWN])


def maps(chosen: np.ndarray) -> np.ndarray:
    """Channels as grey pictures, NHWC uint8: black the least value of each, white the largest."""
    low, high = chosen.min(axis=(1, 2), keepdims=True), chosen.max(axis=(1, 2), keepdims=True)
    grey = (255 * (chosen - low) / np.maximum(high - low, 1e-9)).astype(np.uint8)
    return np.stack([np.array(Image.fromarray(one).resize((SIDE, SIDE), 0)) for one in grey])[..., None]


def pooled(values: np.ndarray) -> np.ndarray:
    """The largest of every 2×2 values, which is what VGG16's pooling layers keep."""
    channels, height, width = values.shape
    whole = values[:, : height // 2 * 2, : width // 2 * 2]
    return whole.reshape(channels, height // 2, 2, width // 2, 2).max(axis=(2, 4))


def main(folder: Path, model: str | None) -> None:
    """Write the pictures into ``folder``, and print what each layer is."""
    bundle = find_model(model, "recognizer")
    entry = bundle.picture_input
    photograph = load_picture(next(one.path for one in photographs() if one.path.stem == "red-panda"))
    picture = np.asarray(fit(photograph, entry.height, entry.width, mode="crop"))
    layers = layer_outputs(bundle, picture)
    for layer in layers:
        print(
            f"{layer.name:42} {layer.kind:12} {'×'.join(map(str, layer.values.shape)):14} {layer.weights:>12,} numbers"
        )
    spatial: list[LayerOutput] = [
        layer for layer in layers if layer.values.ndim == 3 and layer.kind == "convolution"
    ]
    first, last = spatial[0].values, spatial[-1].values
    middle = next(layer.values for layer in spatial if layer.values.shape[1] <= entry.height // 8)
    edges = first[strongest(first)]
    sheets = {
        "first": edges,
        "pooled": pooled(edges),
        "middle": middle[strongest(middle)],
        "last": last[strongest(last)],
    }
    for name, channels in sheets.items():
        (folder / f"{name}.png").write_bytes(encode_png(picture_grid(maps(channels), columns=4)))
    (folder / "photograph.png").write_bytes(encode_png(picture))
    for label in Recognizer(bundle).recognize(photograph, top=5).labels:
        print(f"{label.probability:6.1%} {label.name}")


if __name__ == "__main__":
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.mkdtemp())
    target.mkdir(parents=True, exist_ok=True)
    main(target, sys.argv[2] if len(sys.argv) > 2 else None)
    print(f"Pictures in {target}")
