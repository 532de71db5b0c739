"""How often a generator doubles its picture, for every shape: grey or colour, square or not."""

from __future__ import annotations

import math
from dataclasses import dataclass

from huanjing.errors import UsageError

FEWEST_DOUBLINGS = 2


@dataclass(frozen=True)
class Shape:
    """What a generator makes: pictures of ``height`` × ``width`` × ``channels``, -1..1, NHWC."""

    height: int
    width: int
    channels: int

    def doublings(self, largest_base: int) -> int:
        """How often to double so that the first grid has at most ``largest_base`` cells on its longer side.

        At least two; fewer than wished where a side cannot be halved that often, so that any side that is a
        multiple of 4 will do.

        :raises UsageError: where a side is no multiple of 4, or under 8.
        """
        least = 1 << FEWEST_DOUBLINGS
        if self.height % least or self.width % least or min(self.height, self.width) < 2 * least:
            raise UsageError(
                f"Pictures of {self.width} by {self.height} cannot be generated: both sides must be multiples of "
                f"{least}, and at least {2 * least}. The nearest size that can be: "
                f"{_nearest(self.width, least)} by {_nearest(self.height, least)}."
            )
        wanted = max(FEWEST_DOUBLINGS, math.ceil(math.log2(max(self.height, self.width) / largest_base)))
        common = math.gcd(self.height, self.width)
        possible = (common & -common).bit_length() - 1
        return min(wanted, possible)

    def base(self, doublings: int) -> tuple[int, int]:
        """Rows and columns of the grid that is doubled ``doublings`` times into the picture."""
        return self.height >> doublings, self.width >> doublings


def _nearest(side: int, factor: int) -> int:
    return max(2, round(side / factor)) * factor
