"""Folders of pictures as training data, and the sample data in the package."""

from huanjing.datasets.folder import PictureFile, PictureFolder, index_folder
from huanjing.datasets.order import batch_positions
from huanjing.datasets.pictures import PictureArray, prepare_pictures
from huanjing.datasets.samples import SamplePhotograph, clothing_folder, photographs

__all__ = [
    "PictureArray",
    "PictureFile",
    "PictureFolder",
    "SamplePhotograph",
    "batch_positions",
    "clothing_folder",
    "index_folder",
    "photographs",
    "prepare_pictures",
]
