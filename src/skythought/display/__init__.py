"""Showing runs to people: progress on a terminal, in lines or in a notebook, and tables of results."""
