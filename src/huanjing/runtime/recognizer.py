"""Recognition: pictures in, labels out, as fast as the machine allows and in the order they came."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from os import PathLike
from typing import Literal

import msgspec
import numpy as np
from numpy.typing import NDArray

from huanjing.bundle import Bundle, PictureInput, find_model
from huanjing.errors import BundleError, PictureError
from huanjing.runtime.engine import Precision, compile_graph, processors
from huanjing.runtime.novelty import NoveltyScore, load_novelty
from huanjing.runtime.prepare import Loader, Picture, picture_name, prepare
from huanjing.runtime.results import Label, Prediction
from huanjing.runtime.silent import ov

Language = Literal["en", "zh"]

BATCH = 4
"""Pictures per inference on folders. Measured from 1 to 32: larger batches leave the processor's caches."""
FAST_DECODING = 0.8
"""How much smaller than the network needs a JPEG may be decoded, unless float32 is asked for. On crops of
photographs the top label is the same for 99.5 % (640 × 480) and 96 % (640 × 427): as near as bilinear is to
bicubic resizing."""


class Recognizer:
    """A recognition model, ready to use from any thread.

    >>> recognizer = Recognizer()                         # the embedded network
    >>> recognizer.recognize("espresso.jpg", top=1).labels[0].name
    'espresso'

    :param model: a name, or the path of a bundle or run folder; None is the embedded model.
    :param precision: ``auto`` uses bfloat16 where the processor has it; ``f32`` is exact and slower.
    :raises ModelNotFoundError, BundleError: where the model cannot be had or used.
    """

    def __init__(
        self, model: str | PathLike[str] | Bundle | None = None, *, precision: Precision = "auto"
    ) -> None:
        self.bundle = model if isinstance(model, Bundle) else find_model(model, "recognizer")
        self.precision: Precision = precision
        self.input = self.bundle.picture_input
        self.classes = self.bundle.manifest.classes
        self._lock = threading.Lock()

    def recognize(
        self, picture: Picture, *, top: int = 3, language: Language = "en", novelty: bool = False
    ) -> Prediction:
        """Say what is in one picture.

        :param picture: a path, a PIL picture, or HWC uint8, 0..255.
        :param novelty: also say how unlike all that the model was taught it is; costs next to nothing.
        :raises PictureError: where the picture cannot be decoded.
        :raises UsageError: where ``novelty`` is asked of a model that cannot tell.
        """
        pixels = np.empty((1, *self.shape), np.uint8)
        prepare(picture, self.input, self._slack, pixels[0])
        with self._lock:
            answers = (self._single_with_features if novelty else self._single)(pixels)
            row = np.concatenate([answer[0] for answer in answers.values()])
        return self._prediction(picture_name(picture), row, top, language)

    def recognize_all(
        self,
        pictures: Iterable[Picture],
        *,
        top: int = 3,
        language: Language = "en",
        novelty: bool = False,
    ) -> Iterator[Prediction]:
        """Say what is in each picture; answers come in the order of the pictures, as they are ready.

        A picture that cannot be decoded gives a prediction with ``error`` and no labels. Memory does not depend
        on how many pictures there are: a few batches are held at a time.

        :param novelty: as for :meth:`recognize`.
        """
        if novelty:
            _ = self._novelty  # the error, if any, before the work
        names: deque[str] = deque()

        def named() -> Iterator[Picture]:
            for picture in pictures:
                names.append(picture_name(picture))
                yield picture

        outputs = ("logits", "features") if novelty else ("logits",)
        for row in self._stream(named(), outputs, self.input):
            name = names.popleft()
            if isinstance(row, PictureError):
                yield Prediction(name, (), row.reason)
            else:
                yield self._prediction(name, row, top, language)

    def logits(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The network's raw answers: NHWC uint8, 0..255, already of the input's size → ``[N, classes]``."""
        return self._arrays(pictures, ("logits",), self._whole)  # of that size nothing is scaled

    def features(self, pictures: NDArray[np.uint8]) -> NDArray[np.float32]:
        """The pooled features before the last layer: NHWC uint8, 0..255, any size → ``[N, features]``.

        The whole picture counts: it is scaled to the network's input, and nothing is cropped.
        """
        return self._arrays(pictures, ("features",), self._whole)

    def features_all(
        self, pictures: Iterable[Picture | Loader]
    ) -> Iterator[NDArray[np.float32] | PictureError]:
        """The features ``[features]`` of each whole picture, in order, as they are ready, or the error it met.

        Memory does not depend on how many pictures there are.

        :param pictures: paths, pictures, or functions that load one; these run side by side, in other threads.
        """
        return self._stream(pictures, ("features",), self._whole)

    def check(self, tolerance: float = 0.02) -> float:
        """Run the bundle's reference pictures and compare with the outputs stored beside them.

        :returns: the largest absolute difference of a logit, in float32 arithmetic.
        :raises BundleError: where it is above ``tolerance``, or the bundle has no reference.
        """
        if not self.bundle.reference.is_file():
            raise BundleError(f"{self.bundle.folder}: has no reference to check against")
        with np.load(self.bundle.reference, allow_pickle=False) as reference:
            pictures, expected = reference["input"], reference["output"]
        difference = float(np.abs(Recognizer(self.bundle, precision="f32").logits(pictures) - expected).max())
        if not difference <= tolerance:
            raise BundleError(
                f"{self.bundle.folder}: gives logits {difference:.3g} away from its reference; "
                f"at most {tolerance} is allowed. The model or the engine is not what it should be."
            )
        return difference

    @property
    def shape(self) -> tuple[int, int, int]:
        """Height, width and channels of the network's input."""
        return self.input.height, self.input.width, self.input.channels

    @cached_property
    def _single(self) -> ov.CompiledModel:
        return compile_graph(self.bundle, outputs=("logits",), batch=1, precision=self.precision)

    @property
    def _whole(self) -> PictureInput:
        return msgspec.structs.replace(self.input, fit="squash", crop_fraction=1.0)

    @property
    def _slack(self) -> float:
        return 1.0 if self.precision == "f32" else FAST_DECODING

    @cached_property
    def _single_with_features(self) -> ov.CompiledModel:
        _ = self._novelty  # the error, if any, before the work
        outputs = ("logits", "features")
        return compile_graph(self.bundle, outputs=outputs, batch=1, precision=self.precision)

    @cached_property
    def _novelty(self) -> NoveltyScore:
        return load_novelty(self.bundle)

    def _arrays(
        self, pictures: NDArray[np.uint8], outputs: tuple[str, ...], into: PictureInput
    ) -> NDArray[np.float32]:
        rows: list[NDArray[np.float32]] = []
        for row in self._stream(iter(pictures), outputs, into):
            if isinstance(row, PictureError):
                raise row
            rows.append(row)
        return np.stack(rows) if rows else np.empty((0, 0), np.float32)

    def _prediction(self, name: str, row: NDArray[np.float32], top: int, language: Language) -> Prediction:
        """The answer in a row of logits, which features may follow."""
        logits, features = row[: len(self.classes)], row[len(self.classes) :]
        novelty = float(self._novelty.of(features[None])[0]) if features.size else None
        return Prediction(name, self._labels(logits, top, language), novelty=novelty)

    def _labels(self, logits: NDArray[np.float32], top: int, language: Language) -> tuple[Label, ...]:
        probabilities = softmax(logits / self.bundle.manifest.temperature)
        few = np.argpartition(-probabilities, min(top, len(probabilities)) - 1)[:top]
        best = few[np.argsort(-probabilities[few], kind="stable")]
        return tuple(
            Label(
                index=int(index),
                name=(language == "zh" and self.classes[index].zh) or self.classes[index].en,
                id=self.classes[index].id,
                probability=float(probabilities[index]),
            )
            for index in best
        )

    def _stream(
        self, pictures: Iterable[Picture | Loader], outputs: tuple[str, ...], into: PictureInput
    ) -> Iterator[NDArray[np.float32] | PictureError]:
        """One row for each picture, in order, the ``outputs`` one behind another; or the error that it met."""
        remaining = iter(pictures)
        chunk = list(islice(remaining, BATCH))
        if not chunk:
            return  # without a network to prepare
        streams = processors()
        compiled = compile_graph(
            self.bundle, outputs=outputs, batch=BATCH, precision=self.precision, streams=streams
        )
        # Every stream computes one batch; one more waits, and one is being filled by the decoding threads.
        free = [_Slot(compiled.create_infer_request()) for _ in range(streams + 2)]
        busy: deque[_Slot] = deque()
        with ThreadPoolExecutor(streams, thread_name_prefix="decode") as pool:
            try:
                while chunk:
                    slot = free.pop()
                    slot.fill(chunk, into, self._slack, pool)
                    busy.append(slot)
                    if not free:
                        free.append(busy.popleft())
                        yield from free[-1].rows()
                    chunk = list(islice(remaining, BATCH))
                while busy:
                    yield from busy.popleft().rows()
            finally:
                for slot in busy:
                    slot.abandon()


@dataclass
class _Slot:
    """One batch on its way: a thread decodes its pictures, then starts its inference and is free for the next."""

    request: ov.InferRequest
    work: Future[list[PictureError | None]] | None = None

    def fill(
        self, pictures: list[Picture | Loader], into: PictureInput, slack: float, pool: ThreadPoolExecutor
    ) -> None:
        pixels = self.request.get_input_tensor().data

        def decode_and_start() -> list[PictureError | None]:
            errors: list[PictureError | None] = [None] * len(pictures)
            for k, picture in enumerate(pictures):
                try:
                    prepare(picture, into, slack, pixels[k])
                except PictureError as error:
                    errors[k] = error
            self.request.start_async()
            return errors

        self.work = pool.submit(decode_and_start)

    def rows(self) -> Iterator[NDArray[np.float32] | PictureError]:
        assert self.work is not None
        errors = self.work.result()
        self.request.wait()
        answers = np.concatenate([tensor.data for tensor in self.request.output_tensors], axis=1)
        for error, row in zip(errors, answers, strict=False):
            yield row if error is None else error

    def abandon(self) -> None:
        """Wait until nothing of this batch runs any more."""
        if self.work is not None and not self.work.cancel() and self.work.exception() is None:
            self.request.wait()


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float64]:
    """Probabilities from logits ``[..., classes]``, summing to 1 along the last axis."""
    shifted = np.exp(logits.astype(np.float64) - logits.max(axis=-1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=-1, keepdims=True), np.float64)
