"""Defects of our own: what is kept of one, for who mends it."""

from __future__ import annotations

import traceback

from db.files import data_folder, whole_file
from db.settings import read_settings
from pipeline.logs import redact


def keep_trace(error: Exception) -> str:
    """Write the trace to a file of this account: a terminal or a log collector is not the place for it.

    Returns:
        A sentence that says where it is.
    """
    try:
        path = data_folder(read_settings().home) / "last-defect.txt"
        with whole_file(path) as file:
            file.write(redact("".join(traceback.format_exception(error))).encode("utf-8", "replace"))
    except Exception:  # the data folder itself may be what is broken
        return "Please report it."
    return f"Please report it with {path}."
