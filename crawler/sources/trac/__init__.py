"""The Trac tracker: its ticket pages and query lists."""
