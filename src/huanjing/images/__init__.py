"""Pictures in and out: decode, bring to size, lay out, encode. Needs numpy and Pillow only."""

from huanjing.images.alpha import premultiply, unpremultiply
from huanjing.images.decode import (
    DEFAULT_LIMITS,
    DecodeLimits,
    as_seen,
    decode_bytes,
    decode_file,
    load_picture,
    load_picture_bytes,
)
from huanjing.images.encode import (
    data_uri,
    encode_jpeg,
    encode_png,
    encode_webp,
    to_uint8,
    write_atomically,
)
from huanjing.images.formats import PICTURE_SUFFIXES
from huanjing.images.grid import picture_grid
from huanjing.images.transform import center_crop_box, fit, minimum_source_size

__all__ = [
    "DEFAULT_LIMITS",
    "PICTURE_SUFFIXES",
    "DecodeLimits",
    "as_seen",
    "center_crop_box",
    "data_uri",
    "decode_bytes",
    "decode_file",
    "encode_jpeg",
    "encode_png",
    "encode_webp",
    "fit",
    "load_picture",
    "load_picture_bytes",
    "minimum_source_size",
    "picture_grid",
    "premultiply",
    "to_uint8",
    "unpremultiply",
    "write_atomically",
]
