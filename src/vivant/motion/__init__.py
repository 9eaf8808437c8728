"""The built-in model family."""
