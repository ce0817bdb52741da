"""Coverage-guided fuzzing of every reader: `python -m fuzz [TARGET...] --seconds N`."""
