"""Jira's answers, read."""
