"""A file's real name made safe for a folder of ours, on any system."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

MOST_BYTES = 255  # of a name, on nearly every system
_ENDING_BYTES = 40  # of an ending that is kept where a name is cut

# What separates folders, or is not allowed in names, somewhere.
_FORBIDDEN = re.compile(r'[/\\:*?"<>|]')
_RESERVED = re.compile(r"(?:con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])", re.IGNORECASE)
_ENDING = re.compile(r"(?:\.[a-z]{1,4})?\.[^. ]{1,20}$", re.IGNORECASE)


def safe_name(name: str, fallback: str) -> str:
    """The name under which a file may be written.

    No part of it leads elsewhere, hides the file, steers what shows it, is an option to a program, or means a
    device to Windows.

    Args:
        name: as the tracker shows it.
        fallback: a safe name, where nothing is left.
    """
    text = unicodedata.normalize("NFC", name.encode("utf-16", "surrogatepass").decode("utf-16", "replace"))
    text = "".join(" " if _is_blank(each) else each for each in text if not _is_unseen(each))
    text = _FORBIDDEN.sub("_", text)
    text = " ".join(text.split()).lstrip(". ").rstrip(". ")
    if not text.strip("_"):
        return fallback
    if text.startswith("-") or _RESERVED.fullmatch(text.partition(".")[0].rstrip()):
        text = f"_{text}"
    return cut(text)


def cut(name: str, room: int = 0) -> str:
    """A name of at most 255 bytes less some room, cut at characters before its ending."""
    most = MOST_BYTES - room
    if len(name.encode()) <= most:
        return name
    stem, ending = parted(name)
    left = most - len(ending.encode())
    kept = stem.encode()[:left].decode("utf-8", "ignore")
    # A letter is not left without its accent: what combines goes with what it belongs to.
    rest = stem[len(kept) :]
    if rest and unicodedata.combining(rest[0]):
        while kept and unicodedata.combining(kept[-1]):
            kept = kept[:-1]
        kept = kept[:-1]
    return kept.rstrip(". ") + ending


def parted(name: str) -> tuple[str, str]:
    """A name's stem and ending: `a` and `.tar.gz`."""
    found = _ENDING.search(name)
    if found is None or not found.start() or len(found[0].encode()) > _ENDING_BYTES:
        return name, ""
    return name[: found.start()], found[0]


def free_name(name: str, is_taken: Callable[[str], bool]) -> str:
    """The name, or with ` (2)`, ` (3)` before its ending: the first that is not taken."""
    number, found = 1, name
    while is_taken(found):
        number += 1
        mark = f" ({number})"
        stem, ending = parted(cut(name, len(mark)))
        found = f"{stem}{mark}{ending}"
    return found


def _is_blank(character: str) -> bool:
    return unicodedata.category(character) in ("Zs", "Zl", "Zp") or character in "\t\n\r\v\f"


def _is_unseen(character: str) -> bool:
    """Whether a character shows nothing, and may turn the others around."""
    if character in "\t\n\r\v\f":
        return False
    return unicodedata.category(character) in ("Cc", "Cf", "Co", "Cn", "Cs")
