"""The restricted reader of torch files: it reads what it should and nothing is executed."""

import io
import pickle
import zipfile
from pathlib import Path

import numpy as np
import pytest

from huanjing.generation.metrics import torch_weights

MAGIC = pickle.dumps(0x1950A86A20F9469CFC6C, 2)
PROTOCOL = pickle.dumps(1001, 2)
SYSTEM = pickle.dumps({"protocol_version": 1001, "little_endian": True}, 2)


def name(module, attribute):
    return f"c{module}\n{attribute}\n".encode()


def number(value):
    return b"J" + value.to_bytes(4, "little", signed=True)


def text(value):
    return b"X" + len(value.encode()).to_bytes(4, "little") + value.encode()


def tuple_of(*items):
    return b"(" + b"".join(items) + b"t"


def storage(key="a", count=6, kind="FloatStorage", view=b"N"):
    return tuple_of(text("storage"), name("torch", kind), text(key), text("cpu"), number(count), view) + b"Q"


def tensor(stored=None, offset=0, shape=(2, 3), strides=(3, 1)):
    arguments = tuple_of(
        stored or storage(),
        number(offset),
        tuple_of(*map(number, shape)),
        tuple_of(*map(number, strides)),
        b"\x89",
        name("collections", "OrderedDict") + b")R",
    )
    return name("torch._utils", "_rebuild_tensor_v2") + arguments + b"R"


def state(**tensors):
    """A pickle of an OrderedDict with ``_metadata``, put together opcode by opcode."""
    items = b"".join(text(key) + value + b"s" for key, value in tensors.items())
    metadata = b"}" + text("_metadata") + name("collections", "OrderedDict") + b")Rs"
    return b"\x80\x02" + name("collections", "OrderedDict") + b")R" + items + metadata + b"b."


def numbers(values, dtype="<f4"):
    array = np.asarray(values, dtype)
    return array.size.to_bytes(8, "little") + array.tobytes()


def legacy(state_dict, *stored, keys=("a",)):
    return MAGIC + PROTOCOL + SYSTEM + state_dict + pickle.dumps(list(keys), 2) + b"".join(stored)


def test_a_file_reads_back():
    data = legacy(
        state(
            first=tensor(),
            turned=tensor(offset=1, shape=(2, 2), strides=(1, 3)),
            steps=tensor(storage("b", 1, "LongStorage"), shape=(), strides=()),
        ),
        numbers([-7], "<i8"),
        numbers(range(6)),
        keys=("b", "a"),
    )

    tensors = torch_weights.read_torch_weights(data)

    assert list(tensors) == ["first", "turned", "steps"]
    assert type(tensors) is dict
    assert tensors["first"].dtype == np.float32
    assert tensors["first"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert tensors["turned"].tolist() == [[1, 4], [2, 5]]
    assert all(array.flags.c_contiguous and array.flags.owndata for array in tensors.values())
    assert (tensors["steps"].dtype, tensors["steps"].item()) == (np.int64, -7)


@pytest.mark.parametrize(
    ("module", "attribute"),
    [
        ("os", "system"),
        ("posix", "system"),
        ("builtins", "eval"),
        ("builtins", "getattr"),
        ("torch", "load"),
        ("torch._utils", "_rebuild_parameter"),
        ("collections", "OrderedDict.fromkeys"),
    ],
)
def test_other_names_are_refused_and_nothing_runs(tmp_path, module, attribute):
    marker = tmp_path / "ran"
    call = name(module, attribute) + tuple_of(text(f"touch {marker}")) + b"R"

    for hostile in (state(first=call), b"\x80\x02" + call + b"."):
        with pytest.raises(torch_weights.TorchFileError, match=f"names {module}.{attribute}"):
            torch_weights.read_torch_weights(legacy(hostile, numbers(range(6))))
    with pytest.raises(torch_weights.TorchFileError, match=f"names {module}.{attribute}"):
        torch_weights.read_torch_weights(b"\x80\x02" + call + b".")
    assert not marker.exists()


def test_a_pickle_of_python_itself_is_refused(tmp_path):
    class Hostile:
        def __reduce__(self):
            return Path.touch, (tmp_path / "ran",)

    with pytest.raises(torch_weights.TorchFileError, match="refused"):
        torch_weights.read_torch_weights(legacy(pickle.dumps({"first": Hostile()}, 2)))
    assert not (tmp_path / "ran").exists()


def test_every_truncation_is_refused():
    data = legacy(state(first=tensor()), numbers(range(6)))
    assert torch_weights.read_torch_weights(data)["first"].shape == (2, 3)

    for length in range(len(data)):
        with pytest.raises(torch_weights.TorchFileError, match=r"truncated|announced"):
            torch_weights.read_torch_weights(data[:length])


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (pickle.dumps(1, 2), "no legacy torch file"),
        (b"PK\x03\x04" + bytes(100), "truncated or damaged"),
        (MAGIC + PROTOCOL + pickle.dumps({"little_endian": False}, 2), "big-endian"),
        (legacy(pickle.dumps([1], 2)), "no state dict"),
        (legacy(state(first=text("x"))), "no named tensor"),
        (legacy(state(first=tensor()), numbers(range(5))), "announced"),
        (legacy(state(first=tensor()), numbers(range(6)), b"more"), "after the last"),
        (legacy(state(first=tensor()), keys=("a", "b")), "does not match the tensors"),
        (legacy(state(first=tensor()), keys=("a", "a")), "does not match the tensors"),
        (legacy(state(first=tensor()), keys=(["a"],)), "no state dict followed by a list"),
        (legacy(state(first=tensor(shape=(0, 3))), numbers(range(6))), "its storage has 6 numbers"),
        (legacy(state(first=tensor(offset=1)), numbers(range(6))), "reaches beyond"),
        (legacy(state(first=tensor(strides=(4, 1))), numbers(range(6))), "reaches beyond"),
        (legacy(state(first=tensor(strides=(-3, 1))), numbers(range(6))), "none may be negative"),
        (legacy(state(first=tensor(offset=-1)), numbers(range(6))), "no valid offset"),
        (legacy(state(first=tensor(strides=(1,))), numbers(range(6))), "do not match"),
        (
            legacy(state(first=tensor(shape=(2**30, 3), strides=(0, 1))), numbers(range(6))),
            "its storage has 6 numbers",
        ),
        (legacy(state(first=tensor(storage(view=number(1))))), "no plain storage"),
        (legacy(state(first=tensor(storage(count=-1)))), "not described"),
        (legacy(state(first=tensor(), other=tensor(storage(kind="IntStorage")))), "in two ways"),
        (legacy(state(first=name("torch", "FloatStorage") + b")R")), "truncated or damaged"),
    ],
)
def test_damaged_files_are_refused(data, message):
    with pytest.raises(torch_weights.TorchFileError, match=message):
        torch_weights.read_torch_weights(data)


def archive(state_dict, compression=zipfile.ZIP_STORED, byteorder=b"little", **stored):
    """A file in the format since torch 1.6."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as file:
        file.writestr("weights/data.pkl", state_dict)
        file.writestr("weights/byteorder", byteorder)
        for key, content in stored.items():
            file.writestr(f"weights/data/{key}", content)
    return buffer.getvalue()


def newer_storage(key="a", count=6):
    return (
        tuple_of(text("storage"), name("torch", "FloatStorage"), text(key), text("cpu"), number(count)) + b"Q"
    )


SIX = np.arange(6, dtype="<f4").tobytes()


def test_the_newer_format_reads_back():
    data = archive(state(first=tensor(newer_storage())), a=SIX)
    np.testing.assert_array_equal(
        torch_weights.read_torch_weights(data)["first"], np.arange(6, dtype=np.float32).reshape(2, 3)
    )


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (archive(state(first=tensor(newer_storage()))), "truncated or damaged"),
        (archive(state(first=tensor(newer_storage())), a=SIX[:-4]), "announced"),
        (archive(state(first=tensor(newer_storage())), byteorder=b"big", a=SIX), "big-endian"),
        (archive(state(first=tensor(newer_storage())), zipfile.ZIP_DEFLATED, a=SIX), "compressed"),
        (archive(b"\x80\x02" + name("os", "system") + b"."), "names os.system"),
        (archive(state(first=tensor(newer_storage())), a=SIX)[:-30], "truncated or damaged"),
    ],
)
def test_damaged_files_of_the_newer_format_are_refused(data, message):
    with pytest.raises(torch_weights.TorchFileError, match=message):
        torch_weights.read_torch_weights(data)
