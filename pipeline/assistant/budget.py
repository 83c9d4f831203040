"""How much of long texts an answer may have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

_CUT = " […]"


@dataclass
class Budget:
    """Characters that are left for an answer's texts; what comes later gets less."""

    left: int
    cut: int = 0  # characters that were left out
    texts: int = 0  # of so many texts

    def take(self, text: Any) -> str:
        """As much of a text as there is room for."""
        whole = "" if text is None else str(text)
        shown = whole[: self.left]
        self.left -= len(shown)
        if len(shown) == len(whole):
            return whole
        self.cut += len(whole) - len(shown)
        self.texts += 1
        return shown + _CUT

    def take_or_none(self, text: Any) -> str | None:
        """Likewise; nothing stays nothing."""
        return None if text is None else self.take(text)

    def told(self) -> str:
        """What was left out, as the end of a sentence."""
        if not self.cut:
            return ""
        return f"; {self.cut:,} characters of {self.texts} texts are cut off (characters, file)"
