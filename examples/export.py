"""Export the embedded network to ONNX and recognise a photograph with ONNX Runtime alone.

python examples/export.py [FOLDER]
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnxruntime
from PIL import Image

from huanjing.bundle import find_model
from huanjing.datasets import photographs
from huanjing.export import export_model

folder = Path(sys.argv[1] if len(sys.argv) > 1 else tempfile.mkdtemp())
exported = export_model(find_model(None, "recognizer"), "onnx", "fp16", folder / "efficientnet-lite0")
print(f"{exported.file}: {exported.bytes / 1e6:.1f} MB, checked with {exported.runtime}")
print(f"largest difference of a logit {exported.agreement.largest:.1g}; {exported.rate:.0f} pictures/s")

# From here on nothing is Huanjing's. The file itself says how a picture is brought to its input.
session = onnxruntime.InferenceSession(exported.file)
said = session.get_modelmeta().custom_metadata_map
print(f"input: {said['input']}; fit: {said['fit']}")
labels = json.loads(said["labels"])
for photograph in photographs()[:3]:
    with Image.open(photograph.path) as picture:
        side = round(0.875 * min(picture.size))
        left, upper = (picture.width - side) // 2, (picture.height - side) // 2
        box = (left, upper, left + side, upper + side)
        pixels = np.asarray(picture.convert("RGB").resize((224, 224), Image.Resampling.BILINEAR, box))
    logits = session.run(["logits"], {"picture": pixels[np.newaxis]})[0][0]
    print(f"{photograph.file}: {labels[int(logits.argmax())]}")
