"""Benchmarks: each prints JSON, each beside a limit or a peer in the same run."""
