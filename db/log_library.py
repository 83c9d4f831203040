"""The library of log lines without what nobody uses of it, which loads four times as much."""

from __future__ import annotations

import sys

__all__ = ["structlog"]

# structlog loads these wherever they are installed: rich for traces of exceptions, of which none is logged,
# and Twisted to log for it.
_UNUSED = ("rich", "twisted")
_kept = {name: sys.modules.get(name) for name in _UNUSED}
sys.modules.update(dict.fromkeys(_UNUSED))  # type: ignore[arg-type] # as documented: an import of None fails
try:
    import structlog
finally:
    for name, module in _kept.items():
        if module is None:
            del sys.modules[name]
        else:
            sys.modules[name] = module
