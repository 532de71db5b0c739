"""Reads the weights out of a torch file (``.pth``), without torch or trust.

There are two formats. Before torch 1.6: five pickles in a row (a magic number, the protocol, the system's byte
order, the state dict, the list of storage keys), then for each storage, in the order of that list, an int64 count
and its raw little-endian numbers. Since: a ZIP file, uncompressed, with the state dict in ``data.pkl``, each
storage's numbers in ``data/KEY`` and the byte order in ``byteorder``.

A pickle can name any function of any module and have it called. The unpickler here knows the few names that a
state dict needs, maps them to harmless stand-ins, and refuses every other one.
"""

from __future__ import annotations

import io
import math
import pickle
import zipfile
from dataclasses import dataclass
from typing import Any, TypeGuard

import numpy as np
from numpy.typing import NDArray

MAGIC = 0x1950A86A20F9469CFC6C
PROTOCOL = 1001
ZIP_START = b"PK\x03\x04"
STORAGE_TYPES = {
    "DoubleStorage": "<f8",
    "FloatStorage": "<f4",
    "HalfStorage": "<f2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "<i1",
    "ByteStorage": "<u1",
    "BoolStorage": "|b1",
}


class TorchFileError(ValueError):
    """The file is damaged, of another format, or asks for more than plain tensors."""


def read_torch_weights(data: bytes) -> dict[str, NDArray[Any]]:
    """The tensors of a torch state dict, by name, each C-contiguous and with its own memory.

    :param data: the whole file.
    :raises TorchFileError: for anything but a sound state dict of plain tensors. Nothing in it is executed.
    """
    if data[:4] == ZIP_START:
        return _read_archive(data)
    stream = io.BytesIO(data)
    if _load(stream) != MAGIC or _load(stream) != PROTOCOL:
        raise TorchFileError("this is no legacy torch file (its magic number or protocol is another one)")
    system = _load(stream)
    if not isinstance(system, dict) or system.get("little_endian") is not True:
        raise TorchFileError("the file was written on a big-endian machine; only little-endian ones are read")
    state, keys = _load(stream), _load(stream)
    if not isinstance(state, dict) or not isinstance(keys, list) or not all(type(key) is str for key in keys):
        raise TorchFileError("the file holds no state dict followed by a list of storages")
    storages = _storages(state)
    if len(keys) != len(storages) or set(keys) != set(storages):
        raise TorchFileError("the list of storages does not match the tensors")
    numbers = {key: _numbers(stream, storages[key]) for key in keys}
    if stream.read(1):
        raise TorchFileError("there are bytes after the last storage")
    return {name: _array(name, tensor, numbers[tensor.storage.key]) for name, tensor in state.items()}


def _read_archive(data: bytes) -> dict[str, NDArray[Any]]:
    """The tensors of a file in the format since torch 1.6."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            entries = {entry.filename.partition("/")[2]: entry for entry in archive.infolist()}
            if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries.values()):
                raise TorchFileError("the archive is compressed, which torch's own never are")
            if "byteorder" in entries and archive.read(entries["byteorder"]) != b"little":
                raise TorchFileError(
                    "the file was written on a big-endian machine; only little-endian ones are read"
                )
            state = _load(io.BytesIO(archive.read(entries["data.pkl"])))
            if not isinstance(state, dict):
                raise TorchFileError("the file holds no state dict")
            numbers = {}
            for key, storage in _storages(state).items():
                content = archive.read(entries[f"data/{key}"])
                dtype = np.dtype(storage.dtype)
                if len(content) != storage.count * dtype.itemsize:
                    raise TorchFileError(
                        f"storage {key!r} does not hold the {storage.count} numbers it announced"
                    )
                numbers[key] = np.frombuffer(content, dtype)
    except (zipfile.BadZipFile, KeyError, EOFError, NotImplementedError, RuntimeError) as error:
        raise TorchFileError(f"the file is truncated or damaged: {error}") from error
    return {name: _array(name, tensor, numbers[tensor.storage.key]) for name, tensor in state.items()}


def _storages(state: dict[Any, Any]) -> dict[str, _Storage]:
    """The storages that the tensors of a state dict lie in, by key."""
    storages: dict[str, _Storage] = {}
    for name, tensor in state.items():
        if not isinstance(name, str) or not isinstance(tensor, _Tensor):
            raise TorchFileError(f"entry {name!r} of the state dict is no named tensor")
        if storages.setdefault(tensor.storage.key, tensor.storage) != tensor.storage:
            raise TorchFileError(f"storage {tensor.storage.key!r} is described in two ways")
    return storages


@dataclass(frozen=True)
class _StorageType:
    """Stands for a class such as ``torch.FloatStorage``. An instance, so that a pickle cannot call it."""

    dtype: str


@dataclass(frozen=True)
class _Storage:
    """One run of numbers, which the file holds after the pickles."""

    key: str
    dtype: str
    count: int


@dataclass(frozen=True)
class _Tensor:
    """A view of a storage; ``offset`` and ``strides`` count elements."""

    storage: _Storage
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _StateDict(dict[str, Any]):
    """Stands for ``OrderedDict``; the attributes that a pickle sets on it (``_metadata``) are dropped."""

    def __setstate__(self, state: object) -> None:
        pass


def _rebuild_tensor(
    storage: object, offset: object, shape: object, strides: object, *_gradient_and_hooks: object
) -> _Tensor:
    """Stands for ``torch._utils._rebuild_tensor_v2``; the numbers follow later in the file."""
    if not isinstance(storage, _Storage) or not _is_size(offset):
        raise TorchFileError("a tensor has no storage or no valid offset")
    if not (isinstance(shape, tuple) and isinstance(strides, tuple) and len(shape) == len(strides)):
        raise TorchFileError("a tensor's shape and strides do not match")
    if not all(map(_is_size, shape + strides)):
        raise TorchFileError(f"a tensor has shape {shape} and strides {strides}; none may be negative")
    return _Tensor(storage, offset, shape, strides)


class _Unpickler(pickle.Unpickler):
    """Knows the names of a state dict and no other."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return _StateDict
        if (module, name) == ("torch._utils", "_rebuild_tensor_v2"):
            return _rebuild_tensor
        if module == "torch" and name in STORAGE_TYPES:
            return _StorageType(STORAGE_TYPES[name])
        raise TorchFileError(f"the file names {module}.{name}, which plain tensors do not need; refused")

    def persistent_load(self, pid: Any) -> _Storage:
        # The older format adds None, or the place of a view, which no plain state dict has.
        if not (isinstance(pid, tuple) and pid[:1] == ("storage",) and (len(pid) == 5 or pid[5:] == (None,))):
            raise TorchFileError(f"the file refers to {pid!r}, which is no plain storage")
        _, storage_type, key, _device, count = pid[:5]
        if not (isinstance(storage_type, _StorageType) and isinstance(key, str) and _is_size(count)):
            raise TorchFileError(f"the storage {key!r} is not described as it should be")
        return _Storage(key, storage_type.dtype, count)


def _is_size(value: object) -> TypeGuard[int]:
    return type(value) is int and 0 <= value < 2**40


def _load(stream: io.BytesIO) -> Any:
    try:
        return _Unpickler(stream).load()
    except TorchFileError:
        raise
    except Exception as error:  # a damaged pickle can raise nearly anything
        raise TorchFileError(f"the file is truncated or damaged: {error}") from error


def _numbers(stream: io.BytesIO, storage: _Storage) -> NDArray[Any]:
    """Read one storage: an int64 count, which must be the announced one, and that many numbers."""
    header = stream.read(8)
    if len(header) == 8 and int.from_bytes(header, "little", signed=True) != storage.count:
        raise TorchFileError(
            f"storage {storage.key!r} does not hold the {storage.count} numbers it announced"
        )
    dtype = np.dtype(storage.dtype)
    content = stream.read(storage.count * dtype.itemsize)
    if len(header) + len(content) != 8 + storage.count * dtype.itemsize:
        raise TorchFileError(f"the file is truncated: storage {storage.key!r} is incomplete")
    return np.frombuffer(content, dtype)


def _array(name: str, tensor: _Tensor, numbers: NDArray[Any]) -> NDArray[Any]:
    """The tensor's own copy of its numbers, after checking that it stays inside its storage."""
    if len(tensor.shape) > 32:
        raise TorchFileError(f"tensor {name!r} has {len(tensor.shape)} dimensions")
    if 0 in tensor.shape or math.prod(tensor.shape) > numbers.size:
        raise TorchFileError(
            f"tensor {name!r} has shape {tensor.shape}; its storage has {numbers.size} numbers"
        )
    steps = zip(tensor.shape, tensor.strides, strict=True)
    if tensor.offset + sum((size - 1) * stride for size, stride in steps) >= numbers.size:
        raise TorchFileError(f"tensor {name!r} reaches beyond its storage of {numbers.size} numbers")
    strides = tuple(stride * numbers.itemsize for stride in tensor.strides)
    return np.lib.stride_tricks.as_strided(numbers[tensor.offset :], tensor.shape, strides).copy()
