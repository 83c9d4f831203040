"""Scheduled runs: the schedules, the queue, and the workers that do what is due."""
