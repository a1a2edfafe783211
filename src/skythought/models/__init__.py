"""How a model wants to be addressed: presets, conversation, thinking; and the bundled tiny model."""
