"""Stored trackers, their kinds, secrets and shared limits."""
