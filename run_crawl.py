"""The command line's front door: ``python run_crawl.py COMMAND``, also installed as ``ims-crawl``."""

from __future__ import annotations


def main() -> None:
    """Run the command line and exit with its status."""
    import gc

    # Most of a command is imports, and what they make stays: looking through it takes a tenth of the time.
    gc.set_threshold(100_000)
    from cli.app import run

    try:
        run()
    except SystemExit as end:
        if isinstance(end.code, int):
            _leave(end.code)
        raise


def _leave(status: int) -> None:
    """End the process at once, unless a thread is at work; what is registered for the end is done.

    The interpreter would take every module apart first, which is a tenth of a command's time.
    """
    import atexit
    import os
    import sys
    import threading
    from contextlib import suppress

    if any(not thread.daemon for thread in threading.enumerate() if thread is not threading.main_thread()):
        return
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # nobody reads it any more; what mattered is written, as the status says
            stream.flush()
    os._exit(status)


if __name__ == "__main__":
    main()
