"""How a model is run: one file per engine, each behind the `Backend` interface of `base.py`."""
