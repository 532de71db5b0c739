"""Trains a plain PyTorch DCGAN for some minutes, as a tutorial writes it, and makes pictures with it.

Runs in an environment that has torch and Pillow: ``python torch_dcgan.py PICTURES MINUTES COUNT OUT.npz``. Networks and
numbers are those of Radford, Metz and Chintala (ICLR 2016) at 64 × 64: widths 64 to 512, kernels of 4 × 4, batch 128,
Adam 2e-4 with β₁ 0.5, weights drawn with a standard deviation of 0.02, float32.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn

LATENT, WIDTH, BATCH = 100, 64, 128


def generator() -> nn.Sequential:
    """Latents ``[N, 100, 1, 1]`` to pictures ``[N, 3, 64, 64]``, -1..1."""
    layers: list[nn.Module] = [nn.ConvTranspose2d(LATENT, 8 * WIDTH, 4, 1, 0, bias=False)]
    for wide in (8 * WIDTH, 4 * WIDTH, 2 * WIDTH):
        layers += [
            nn.BatchNorm2d(wide),
            nn.ReLU(True),
            nn.ConvTranspose2d(wide, wide // 2, 4, 2, 1, bias=False),
        ]
    layers += [
        nn.BatchNorm2d(WIDTH),
        nn.ReLU(True),
        nn.ConvTranspose2d(WIDTH, 3, 4, 2, 1, bias=False),
        nn.Tanh(),
    ]
    return nn.Sequential(*layers)


def discriminator() -> nn.Sequential:
    """Pictures ``[N, 3, 64, 64]`` to scores ``[N, 1, 1, 1]``."""
    layers: list[nn.Module] = [nn.Conv2d(3, WIDTH, 4, 2, 1, bias=False), nn.LeakyReLU(0.2, True)]
    for wide in (WIDTH, 2 * WIDTH, 4 * WIDTH):
        layers += [
            nn.Conv2d(wide, 2 * wide, 4, 2, 1, bias=False),
            nn.BatchNorm2d(2 * wide),
            nn.LeakyReLU(0.2, True),
        ]
    return nn.Sequential(*layers, nn.Conv2d(8 * WIDTH, 1, 4, 1, 0, bias=False))


def first_weights(layer: nn.Module) -> None:
    """As the paper draws them."""
    if isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
        nn.init.normal_(layer.weight, 0.0, 0.02)
    elif isinstance(layer, nn.BatchNorm2d):
        nn.init.normal_(layer.weight, 1.0, 0.02)


def main(folder: str, minutes: float, count: int, out: Path) -> None:
    """Train, then write ``pictures`` (NHWC uint8), ``steps`` and ``pictures_per_second`` to ``out``."""
    torch.manual_seed(0)
    files = sorted(Path(folder).rglob("*.png"))
    data = torch.from_numpy(
        np.stack([np.asarray(Image.open(file).convert("RGB").resize((64, 64))) for file in files])
    )
    dreams, judge = generator().apply(first_weights), discriminator().apply(first_weights)
    optimisers = [
        torch.optim.Adam(network.parameters(), 2e-4, betas=(0.5, 0.999)) for network in (judge, dreams)
    ]
    entropy = nn.BCEWithLogitsLoss()
    ones, zeros = torch.ones(BATCH, 1, 1, 1), torch.zeros(BATCH, 1, 1, 1)
    steps, started = 0, time.monotonic()
    while time.monotonic() - started < 60 * minutes:
        real = data[torch.randint(len(data), (BATCH,))].permute(0, 3, 1, 2).float() / 127.5 - 1
        fake = dreams(torch.randn(BATCH, LATENT, 1, 1))
        optimisers[0].zero_grad()
        (entropy(judge(real), ones) + entropy(judge(fake.detach()), zeros)).backward()
        optimisers[0].step()
        optimisers[1].zero_grad()
        entropy(judge(fake), ones).backward()
        optimisers[1].step()
        steps += 1
    spent = time.monotonic() - started
    dreams.eval()
    with torch.no_grad():
        made = torch.cat(
            [dreams(torch.randn(min(100, count - k), LATENT, 1, 1)) for k in range(0, count, 100)]
        )
    nhwc = ((made.permute(0, 2, 3, 1) + 1) * 127.5).clamp(0, 255).round().byte().numpy()
    np.savez(out, pictures=nhwc, steps=steps, pictures_per_second=steps * BATCH / spent)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
