"""What every training shares: the run folder, checkpoints, progress. Moving averages need TensorFlow; see there."""

from huanjing.training.checkpoint import Checkpoint, Checkpoints
from huanjing.training.progress import Progress
from huanjing.training.run import Interrupted, Run, read_config, reconcile

__all__ = ["Checkpoint", "Checkpoints", "Interrupted", "Progress", "Run", "read_config", "reconcile"]
