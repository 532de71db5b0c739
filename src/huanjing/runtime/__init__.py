"""The runtime: OpenVINO, and nothing that trains. Everything that only uses a model goes through here."""

from huanjing.runtime.engine import cache_folder, processors
from huanjing.runtime.generator import Generator, latents
from huanjing.runtime.recognizer import Recognizer, softmax
from huanjing.runtime.results import Label, Prediction
from huanjing.runtime.shortcuts import generate, recognize

__all__ = [
    "Generator",
    "Label",
    "Prediction",
    "Recognizer",
    "cache_folder",
    "generate",
    "latents",
    "processors",
    "recognize",
    "softmax",
]
