"""The run folder: open, lock, resume, journal, and the files derived from the journals. docs/runs.md is its format."""
