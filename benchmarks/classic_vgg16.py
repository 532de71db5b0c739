"""The classic script: what is in these pictures, by VGG16 in Keras, as tutorials write it.

    python -m benchmarks.classic_vgg16 WEIGHTS.h5 PICTURE...

As ImageNet's weights cannot be downloaded everywhere, ``--make-weights`` first writes random ones to the file:
they take the same time. The rate that it prints on stderr counts predicting alone, not the start.
"""

import sys
import time

import numpy as np


def main() -> None:
    """Name each picture; see the module."""
    make = "--make-weights" in sys.argv
    weights, *pictures = [argument for argument in sys.argv[1:] if argument != "--make-weights"]

    from keras.applications.vgg16 import VGG16, preprocess_input
    from keras.utils import img_to_array, load_img

    if make:
        VGG16(weights=None).save_weights(weights)
        return
    model = VGG16(weights=None)
    model.load_weights(weights)
    started = time.perf_counter()
    for start in range(0, len(pictures), 32):
        batch = [
            img_to_array(load_img(path, target_size=(224, 224))) for path in pictures[start : start + 32]
        ]
        predictions = model.predict(preprocess_input(np.stack(batch)), verbose=0)
        for path, prediction in zip(pictures[start : start + 32], predictions, strict=True):
            best = np.argsort(-prediction)[:3]
            print(path, *(f"class {index}: {prediction[index]:.4f}" for index in best))
    print(f"{len(pictures) / (time.perf_counter() - started):.3f} pictures/s", file=sys.stderr)


if __name__ == "__main__":
    main()
