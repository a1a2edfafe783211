"""A run to look at: one page as a file (`report`) or served from this machine (`server`), and what the page reads."""
