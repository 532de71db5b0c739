"""``python -m huanjing`` is ``huanjing``."""

from huanjing.cli import run

if __name__ == "__main__":
    run()
