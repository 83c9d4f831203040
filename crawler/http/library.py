"""The HTTP library without its own command line, which would load twice as much as the rest of it."""

from __future__ import annotations

import sys

__all__ = ["httpx"]

# httpx loads its command line, with rich, click and pygments, wherever click happens to be installed.
_kept = sys.modules.get("click")
sys.modules["click"] = None  # type: ignore[assignment] # as documented: an import of it fails
try:
    import httpx
finally:
    if _kept is None:
        del sys.modules["click"]
    else:
        sys.modules["click"] = _kept
