"""How a model is run: one package for each engine, behind the `Backend` interface of `base.py`."""
