"""Recognition: architectures as graphs and as Keras networks."""

import huanjing.runtime  # noqa: F401 (OpenVINO is to be imported there first, unreported)
