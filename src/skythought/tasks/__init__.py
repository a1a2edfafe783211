"""From a dataset's row to a problem: where rows are, how they become prompts, what the right answer is."""
