"""The reference's own task files."""
