"""Generation: networks that learn to make pictures like those they were shown."""

import huanjing.runtime  # noqa: F401 (OpenVINO is to be imported there first, unreported)
