"""Comparing runs: are they really different, by how much, where, and what could explain it."""
