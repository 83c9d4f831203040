"""Attached files: their bytes, fetched once and kept under their hash, and the texts in them."""
