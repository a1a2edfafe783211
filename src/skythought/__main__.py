"""`python -m skythought`."""

from skythought.cli import main

main()
