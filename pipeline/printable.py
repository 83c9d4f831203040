"""Characters that a reader does not see but a terminal, a spreadsheet or a second look does.

Controls, what turns the direction of a line, what has no width, tags, and letters that are blank. Joiners and
one variation selector behind a character stay out of this: scripts and emoji need the latter, and without the
former a word is still read.
"""

from __future__ import annotations

import json
import re

_CONTROLS = "\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 and C1, but tab and newline
_BLANKS = "\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"  # letters and signs without ink
_WIDTHLESS = (
    "\u00ad\u034f\u061c\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff0-\ufffb"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
)
_SELECTORS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
_UNSEEN = re.compile(f"[{_CONTROLS}{_BLANKS}{_WIDTHLESS}]|(?<=[{_SELECTORS}])[{_SELECTORS}]+")


def without_unseen(text: str) -> str:
    """Take out what is not seen."""
    seen = _UNSEEN.sub("", text)
    # What stood between two selectors is gone: they may be a run of them now, in which a text can be hidden.
    return seen if len(seen) == len(text) else _UNSEEN.sub("", seen)


def escaped_unseen(document: str) -> str:
    r"""Write what is not seen in a JSON document as ``\u`` escapes, which say the same."""
    return _UNSEEN.sub(lambda found: json.dumps(found.group())[1:-1], document)
