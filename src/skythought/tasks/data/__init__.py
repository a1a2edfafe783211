"""Rows of a dataset, from the hub, a mirror or a file, one at a time."""
