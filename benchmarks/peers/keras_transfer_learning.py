"""Transfer learning as the Keras documentation teaches it ("Transfer learning & fine-tuning"), on a folder of classes.

    python -m benchmarks.peers.keras_transfer_learning TRAIN TEST SEED

150 × 150 pixels, batch 32, a fifth to validate on, flips and rotations, the frozen network in inference mode, global
average pooling, dropout 0.2, a dense layer: 20 epochs with Adam; then all of it 10 epochs more at a rate of 1e-5. The
frozen network is the one that Huanjing begins with, EfficientNet-Lite0 from the package, in Keras, its dead channels
silenced as Huanjing does: without that, Adam wakes them, and the second stage ends below the first.

Prints JSON: accuracy on TEST and seconds since the start, after each of the two stages; testing takes no part in them.
"""

import json
import sys
import time

STARTED = time.perf_counter()
SIDE = 150


def main() -> None:
    """Train and test; see the module."""
    import keras

    from huanjing.bundle import find_model
    from huanjing.recognition.efficientnet_lite_graph import read_weights
    from huanjing.recognition.efficientnet_lite_network import (
        build_network,
        load_weights,
        silence_dead_channels,
    )

    folder, test_folder, seed = sys.argv[1], sys.argv[2], int(sys.argv[3])
    keras.utils.set_random_seed(seed)
    read = {"image_size": (SIDE, SIDE), "batch_size": 32, "verbose": False}
    train, validation = keras.utils.image_dataset_from_directory(
        folder, validation_split=0.2, subset="both", seed=seed, **read
    )
    classes = len(train.class_names)
    train, validation = train.cache().shuffle(10_000, seed).prefetch(10), validation.cache().prefetch(10)

    whole = build_network(resolution=SIDE, include_head=False)
    weights = read_weights(find_model("efficientnet-lite0", "recognizer").graph)
    load_weights(whole, silence_dead_channels(weights))
    base = keras.Model(whole.inputs[0], whole.get_layer("feature_map").output)
    base.trainable = False
    inputs = keras.Input((SIDE, SIDE, 3))
    x = keras.layers.RandomFlip("horizontal")(inputs)
    x = keras.layers.RandomRotation(0.1)(x)
    x = base(x, training=False)
    x = keras.layers.GlobalAveragePooling2D()(x)
    x = keras.layers.Dropout(0.2)(x)
    model = keras.Model(inputs, keras.layers.Dense(classes)(x))

    outcome, tested = {}, 0.0
    for stage, rate, epochs in (("head", 1e-3, 20), ("fine_tuned", 1e-5, 10)):
        base.trainable = stage == "fine_tuned"
        model.compile(
            keras.optimizers.Adam(rate),
            keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
        )
        model.fit(train, epochs=epochs, validation_data=validation, verbose=0)
        finished = time.perf_counter()
        outcome[f"{stage}_seconds"] = finished - STARTED - tested
        test = keras.utils.image_dataset_from_directory(test_folder, shuffle=False, **read)
        outcome[f"{stage}_accuracy"] = float(model.evaluate(test, verbose=0)[1])
        tested += time.perf_counter() - finished
    print(json.dumps(outcome))


if __name__ == "__main__":
    main()
