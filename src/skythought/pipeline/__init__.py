"""Who goes when: plan, open or resume the run folder, generate, score, validate a task."""
