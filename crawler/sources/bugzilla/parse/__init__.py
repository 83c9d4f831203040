"""Bugzilla's answers, read."""
