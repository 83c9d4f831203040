"""How large things may be, where the settings say so as well as the crawl."""

from __future__ import annotations

LARGEST_PAGE = 256 << 20  # bytes, inflated: what anybody who reads a kept page must be ready to hold
LARGEST_ANSWER = 64 << 20  # bytes of a tracker's answer, unless IMS_MAX_FILE says otherwise
