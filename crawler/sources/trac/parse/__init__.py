"""Trac's pages, read without network and without clock."""
