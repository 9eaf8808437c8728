"""Picture and motion field to frames."""
