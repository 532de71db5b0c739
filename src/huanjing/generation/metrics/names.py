"""Names of metrics that carry their protocol."""


def metric_name(metric: str, space: str, pictures: int, real: str = "test") -> str:
    """``frechet_lite0_2k_test``: on Lite0's features, 2,000 generated against as many test pictures.

    :param space: short name of the network whose features are compared.
    :param real: ``test`` or ``train``: which real pictures.
    """
    count = f"{pictures // 1000}k" if pictures % 1000 == 0 and pictures else str(pictures)
    return f"{metric}_{space}_{count}_{real}"
