"""A frozen network's graph with another classifier on its features."""

from __future__ import annotations

import os

from huanjing.errors import BundleError
from huanjing.recognition.efficientnet_lite_graph import constant, kernel_constant
from huanjing.recognition.head import Head
from huanjing.runtime.silent import ov


def with_head(graph: str | os.PathLike[str], head: Head) -> ov.Model:
    """The network in a graph file up to its ``features``, then ``head``; as a graph of any batch size.

    ``feature_map`` stays an output where it is one. The new constants are called ``classifier/kernel`` and
    ``classifier/bias``.

    :raises BundleError: where the graph has no features of the head's number.
    """
    model = ov.Core().read_model(os.fspath(graph))
    found = {name: output.get_node() for output in model.outputs for name in output.get_names()}
    width = head.kernel.shape[1]
    if "features" not in found or found["features"].get_output_partial_shape(0)[1] != width:
        raise BundleError(f"{os.fspath(graph)}: has no output features of {width} numbers to put a head on")
    features = found["features"].input_value(0)
    kernel = kernel_constant("classifier/kernel", head.kernel)
    logits = ov.opset15.matmul(features, kernel, False, True, name="classifier")
    logits = ov.opset15.add(logits, constant("classifier/bias", head.bias), name="logits")
    logits.output(0).get_tensor().set_names({"logits"})
    kept = [found[name] for name in ("feature_map", "features") if name in found]
    last = ov.opset15.result(logits, name="logits_result")
    return ov.Model([*kept, last], model.get_parameters(), model.get_friendly_name())
