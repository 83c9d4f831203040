"""The library of log lines without what it would show of an exception, which loads four times as much."""

from __future__ import annotations

import sys

__all__ = ["structlog"]

# structlog loads rich and pygments wherever they are installed, to draw traces of exceptions: none is logged.
_kept = sys.modules.get("rich")
sys.modules["rich"] = None  # type: ignore[assignment] # as documented: an import of it fails
try:
    import structlog
finally:
    if _kept is None:
        del sys.modules["rich"]
    else:
        sys.modules["rich"] = _kept
