"""What an attached file says: its kind, told by its bytes, and its texts, in reasonable size.

:func:`crawler.files.reading.read_file` is pure: bytes in, :class:`FileText` out. It meets hostile files, so
it is called in the sandbox process of :mod:`crawler.files.sandbox` only.
"""

from crawler.files.file_text import READER_VERSION, FileText, TextPart

__all__ = ["READER_VERSION", "FileText", "TextPart"]
