"""The Inception network by which published scores are measured, from the weights file that people have.

Heusel et al. took the network that Google released as ``inception-2015-12-05``. Its weights go round as
``pt_inception-2015-12-05-6726825d.pth``, which pytorch-fid and torch-fidelity both load; the digits in the name
begin the SHA-256 of its content. It differs from the Inception v3 of torchvision and Keras in its weights, and in
its layers: no average pooling counts the padding, and the pooling of the last block takes the maximum.

The protocol is the original one: pictures 0..255 are scaled to 299 × 299 bilinearly in the manner of TensorFlow 1
(output pixel i lies at i · in/out, no antialiasing), then (x - 128) / 128; the features are the 2,048 means of the
last block. torch-fidelity does the same; pytorch-fid places the pixels otherwise and divides by 127.5.

The graph is OpenVINO's, in float32.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from huanjing.errors import UsageError
from huanjing.generation.metrics.inception_layers import BLOCKS, STEM, Block, Convolution, convolutions
from huanjing.generation.metrics.torch_weights import TorchFileError, read_torch_weights
from huanjing.runtime.engine import core, processors
from huanjing.runtime.silent import ov

SIDE = 299
FEATURES = 2048
CLASSES = 1008
EPSILON = 1e-3
BATCH = 8
MAX_BYTES = 2**30
STANDARD_FILE = "pt_inception-2015-12-05-6726825d.pth"
STANDARD_SHA256 = "6726825d"
"""The first digits of the standard file's SHA-256, which its name bears."""

Weights = dict[str, NDArray[Any]]


class Inception:
    """The network, ready to use.

    :param path: the weights: a torch file of any age with a state dict.
    :raises UsageError: where the file cannot be read or is of another network.
    """

    def __init__(self, path: str | PathLike[str]) -> None:
        path = Path(path)
        weights, digest = _read(path)
        try:
            _check_classes(weights)
            self._folded = {layer.name: _fold(layer, weights) for layer in convolutions()}
        except KeyError as error:
            raise UsageError(
                f"{path}: {error.args[0]}. The file is of another network; the one that published scores use is "
                f"named {STANDARD_FILE}."
            ) from None
        self.standard = digest.startswith(STANDARD_SHA256)
        """Whether the file is the one by which published scores are measured."""
        self._compiled: dict[tuple[int, ...], ov.CompiledModel] = {}

    def features(
        self, pictures: NDArray[np.uint8], on_progress: Callable[[int], None] | None = None
    ) -> NDArray[np.float32]:
        """NHWC uint8, 0..255, 1 or 3 channels, any size → float32 ``[N, 2048]``.

        :param on_progress: called with how many more pictures are done.
        """
        shape = pictures.shape[1:]
        if shape not in self._compiled:
            settings = {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": str(processors())}
            self._compiled[shape] = core().compile_model(self._graph(*shape), "CPU", settings)
        rows = np.empty((len(pictures), FEATURES), np.float32)
        batch = np.zeros((BATCH, *shape), np.uint8)
        for start in range(0, len(pictures), BATCH):
            chunk = pictures[start : start + BATCH]
            batch[: len(chunk)] = chunk
            rows[start : start + BATCH] = self._compiled[shape](batch)[0][: len(chunk)]
            if on_progress is not None:
                on_progress(len(chunk))
        return rows

    def _graph(self, height: int, width: int, channels: int) -> ov.Model:
        """Pictures uint8 ``[8, height, width, channels]`` in, features float32 ``[8, 2048]`` out."""
        opset15 = ov.opset15

        picture = opset15.parameter([BATCH, height, width, channels], np.uint8, name="picture")
        x = opset15.transpose(opset15.convert(picture, "f32"), np.array([0, 3, 1, 2]))
        if channels == 1:
            x = opset15.concat([x, x, x], 1)
        x = opset15.interpolate(
            x, np.array([SIDE, SIDE]), "linear_onnx", "sizes",
            coordinate_transformation_mode="asymmetric", axes=np.array([2, 3]),
        )  # fmt: skip
        x = opset15.multiply(opset15.subtract(x, np.float32(128)), np.float32(1 / 128))
        for run in STEM:
            for layer in run:
                x = self._convolve(layer, x)
            x = _pool("halving", x)
        for block in BLOCKS:
            x = self._block(block, x)
        return ov.Model([opset15.reduce_mean(x, np.array([2, 3]))], [picture], "inception")

    def _block(self, block: Block, x: ov.Node) -> ov.Node:
        opset15 = ov.opset15

        ends = []
        for branch in block:
            y = _pool(branch.pooling, x) if branch.pooling else x
            for layer in branch.steps:
                y = self._convolve(layer, y)
            ends += [self._convolve(layer, y) for layer in branch.split] or [y]
        return opset15.concat(ends, 1)

    def _convolve(self, layer: Convolution, x: ov.Node) -> ov.Node:
        opset15 = ov.opset15

        kernel, bias = self._folded[layer.name]
        padding = list(layer.padding)
        x = opset15.convolution(x, kernel, [layer.stride] * 2, padding, padding, [1, 1], name=layer.name)
        return opset15.relu(opset15.add(x, bias))


def _read(path: Path) -> tuple[Weights, str]:
    try:
        if not path.is_file():
            raise UsageError(f"{path}: there is no such file")
        if path.stat().st_size > MAX_BYTES:
            raise UsageError(
                f"{path}: is larger than {MAX_BYTES:,} bytes, so it is not the Inception network"
            )
        data = path.read_bytes()
        return read_torch_weights(data), hashlib.sha256(data).hexdigest()
    except OSError as error:
        raise UsageError(f"{path}: cannot be read: {error.strerror or error}") from error
    except TorchFileError as error:
        raise UsageError(
            f"{path}: {error}. What is needed is a torch file of plain weights, such as {STANDARD_FILE}."
        ) from error


def _check_classes(weights: Weights) -> None:
    """Tell the network from torchvision's Inception v3, whose layers have the same names and shapes.

    :raises KeyError: for a classifier of other than 1,008 classes.
    """
    shape = weights["fc.weight"].shape if "fc.weight" in weights else (CLASSES, FEATURES)
    if shape != (CLASSES, FEATURES):
        raise KeyError(f"has a classifier of shape {shape}, not {(CLASSES, FEATURES)}")


def _fold(layer: Convolution, weights: Weights) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Kernel (output, input, rows, columns) and bias of a convolution together with its batch normalisation.

    :raises KeyError: for a weight that is missing, of another shape or not finite; its text says which.
    """

    def take(name: str, *shape: int) -> NDArray[np.float64]:
        full = f"{layer.name}.{name}"
        if full not in weights:
            raise KeyError(f"has no {full}")
        if weights[full].shape != shape:
            raise KeyError(f"has {full} of shape {weights[full].shape}, not {shape}")
        array = np.asarray(weights[full], np.float64)
        if not np.isfinite(array).all():
            raise KeyError(f"has numbers in {full} that are not finite")
        return array

    kernel = take("conv.weight", layer.outputs, layer.inputs, *layer.kernel)
    gamma, beta, mean, variance = (
        take(f"bn.{name}", layer.outputs) for name in ("weight", "bias", "running_mean", "running_var")
    )
    if (variance < 0).any():
        raise KeyError(f"has negative variances in {layer.name}.bn.running_var")
    scale = gamma / np.sqrt(variance + EPSILON)
    bias = (beta - mean * scale).reshape(1, -1, 1, 1)
    return (kernel * scale.reshape(-1, 1, 1, 1)).astype(np.float32), bias.astype(np.float32)


def _pool(kind: str, x: ov.Node) -> ov.Node:
    opset1 = ov.opset1

    if kind == "halving":
        return opset1.max_pool(x, [2, 2], [0, 0], [0, 0], [3, 3])
    if kind == "maximum":
        return opset1.max_pool(x, [1, 1], [1, 1], [1, 1], [3, 3])
    return opset1.avg_pool(x, [1, 1], [1, 1], [1, 1], [3, 3], True)
