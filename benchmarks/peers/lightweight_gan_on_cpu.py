"""Trains lightweight-gan for some minutes on a machine without a GPU, and makes pictures with it.

Runs in lightweight-gan's own environment: ``python lightweight_gan_on_cpu.py PICTURES MINUTES COUNT OUT.npz``. The
package refuses to start without CUDA; here it is told that there is one, and what it would send there stays. All
other settings are its own (64 × 64, batch 10, gradients accumulated over 4 batches, automatic augmentation).
"""

from __future__ import annotations

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch.utils.data import DataLoader

honest, torch.cuda.is_available = torch.cuda.is_available, lambda: True
torch.Tensor.cuda = lambda self, *_, **__: self
torch.nn.Module.cuda = lambda self, *_, **__: self

from lightweight_gan import Trainer, lightweight_gan  # noqa: E402

# It asks as it is imported; PyTorch itself asks later, and needs the truth.
torch.cuda.is_available = honest


class _TorchOnProcessor:
    """PyTorch as it is, but that every device is the processor."""

    def __getattr__(self, name: str) -> Any:
        return getattr(torch, name)

    @staticmethod
    def device(*_: object) -> torch.device:
        return torch.device("cpu")


def _unpinned(*arguments: Any, **options: Any) -> DataLoader:
    return DataLoader(*arguments, **options | {"pin_memory": False})


lightweight_gan.torch = _TorchOnProcessor()
lightweight_gan.DataLoader = _unpinned


def main(pictures: str, minutes: float, count: int, out: Path) -> None:
    """Train, then write ``pictures`` (NHWC uint8), ``steps`` and ``pictures_per_second`` to ``out``."""
    torch.manual_seed(0)
    with tempfile.TemporaryDirectory() as place:
        trainer = Trainer(
            name="peer", results_dir=place, models_dir=place, batch_size=10, gradient_accumulate_every=4,
            attn_res_layers=[32], image_size=64, num_workers=0, lr=2e-4, aug_types=["cutout", "translation"],
            save_every=10**9, evaluate_every=10**9, use_aim=False,
        )  # fmt: skip
        trainer.set_data_src(pictures)
        trainer.init_GAN()
        trainer.evaluate = trainer.save = lambda *_, **__: (
            None
        )  # its sheets and checkpoints would cost it time
        started = time.monotonic()
        while time.monotonic() - started < 60 * minutes:
            trainer.train()
        spent = time.monotonic() - started
        trainer.GAN.eval()
        made = []
        with torch.no_grad():
            for start in range(0, count, 50):
                latents = torch.randn((min(50, count - start), trainer.GAN.latent_dim))
                made.append(trainer.generate_(trainer.GAN.GE, latents).clamp(0, 1))
        nhwc = (torch.cat(made).permute(0, 2, 3, 1) * 255).round().byte().numpy()
        seen = trainer.steps * 40
        np.savez(out, pictures=nhwc, steps=trainer.steps, pictures_per_second=seen / spent)


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]), int(sys.argv[3]), Path(sys.argv[4]))
