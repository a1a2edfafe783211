"""From runs to training data: examples, steps that keep or drop them, formats of trainers, and the card."""
