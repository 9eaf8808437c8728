"""From clips to weights."""
