"""The key-value cache of a batch: columns added and cut, sequences joined, memory allocated ahead.

A cache is a list of layers, each with keys and values of shape [rows, heads, columns, size], aligned at the
last token of each sequence. Sliding-window layers hold the last `window - 1` columns; recurrent ones hold one
state for each row, without columns.
"""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

__all__ = ["align", "is_joinable", "is_recurrent", "join", "preallocate"]

JOINABLE = {"DynamicLayer", "PreallocatedLayer", "DynamicSlidingWindowLayer", "LinearAttentionLayer", "DummyLayer"}
"""Classes of layers whose content is known to fit beside that of other sequences."""

AHEAD = 64
"""Columns that a layer allocates ahead, or an eighth of its width if that is more."""


def is_joinable(cache: Any) -> bool:
    """Whether new sequences can join those in the cache."""
    layers = getattr(cache, "layers", ())
    return len(layers) > 0 and all(type(layer).__name__ in JOINABLE for layer in layers)


def is_recurrent(cache: Any) -> bool:
    """Whether the cache holds one state for each row, and no columns."""
    layers = getattr(cache, "layers", ())
    return len(layers) > 0 and all(type(layer).__name__ == "LinearAttentionLayer" for layer in layers)


def align(cache: Any, columns: int) -> None:
    """Make a joinable cache so many columns wide, by padding or cutting on the left."""
    for layer in cache.layers:
        if getattr(layer, "keys", None) is None:
            continue  # a recurrent state, or a layer that uses the cache of another
        width = columns
        if hasattr(layer, "sliding_window"):
            width = min(columns, layer.sliding_window - 1)
            layer.cumulative_length = columns
        layer.keys, layer.values = _fit(layer.keys, width), _fit(layer.values, width)


def join(cache: Any, new: Any) -> None:
    """Append the sequences of one joinable cache to another of the same width."""
    import torch

    for layer, added in zip(cache.layers, new.layers, strict=True):
        for name in ("keys", "values"):
            if getattr(layer, name, None) is not None:
                setattr(layer, name, torch.cat([getattr(layer, name), getattr(added, name)]))
        for name in ("conv_states", "recurrent_states"):
            states = getattr(layer, name, {})
            for number, state in states.items():
                if state is not None:
                    states[number] = torch.cat([state, getattr(added, name)[number]])


def preallocate(cache: Any) -> None:
    """Let the plain layers of a cache grow in place; the library's copy all they hold for each new token."""
    from transformers.cache_utils import DynamicLayer

    for number, layer in enumerate(getattr(cache, "layers", ())):
        if type(layer) is DynamicLayer and layer.keys is not None:
            cache.layers[number] = _preallocated_layer()(layer)


@functools.cache
def _preallocated_layer() -> type[Any]:
    """The class is made on demand, as its base comes from a library that is slow to import."""
    from transformers.cache_utils import DynamicLayer

    class PreallocatedLayer(DynamicLayer):  # type: ignore[misc]
        """A layer whose keys and values are views of larger tensors, for as long as nobody replaces them."""

        keys: torch.Tensor
        values: torch.Tensor

        def __init__(self, layer: DynamicLayer) -> None:
            super().__init__()
            self.__dict__.update(layer.__dict__)
            self._shown: tuple[torch.Tensor, torch.Tensor] | None = None
            self._stores: tuple[torch.Tensor, torch.Tensor]

        def update(
            self, key_states: torch.Tensor, value_states: torch.Tensor, *args: Any, **kwargs: Any
        ) -> tuple[torch.Tensor, torch.Tensor]:
            width = self.keys.shape[-2]
            end = width + key_states.shape[-2]
            replaced = self._shown is None or self.keys is not self._shown[0]
            if replaced or end > self._stores[0].shape[-2]:
                capacity = end + max(AHEAD, end // 8)
                self._stores = (_with_capacity(self.keys, capacity), _with_capacity(self.values, capacity))
            for store, states in zip(self._stores, (key_states, value_states), strict=True):
                store[:, :, width:end] = states
            self._shown = (self._stores[0][:, :, :end], self._stores[1][:, :, :end])
            self.keys, self.values = self._shown
            return self._shown

    return PreallocatedLayer


def _with_capacity(states: torch.Tensor, capacity: int) -> torch.Tensor:
    rows, heads, width, size = states.shape
    store = states.new_empty(rows, heads, capacity, size)
    store[:, :, :width] = states
    return store


def _fit(states: torch.Tensor, width: int) -> torch.Tensor:
    from torch.nn.functional import pad

    return pad(states, (0, 0, width - states.shape[-2], 0))
