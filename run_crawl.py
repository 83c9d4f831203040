"""The command line's front door: ``python run_crawl.py COMMAND``, also installed as ``ims-crawl``."""

from __future__ import annotations


def main() -> None:
    """Run the command line and exit with its status."""
    import gc

    # Most of a command is imports, and what they make stays: looking through it takes a tenth of the time.
    gc.set_threshold(100_000)
    from cli.app import run

    run()


if __name__ == "__main__":
    main()
