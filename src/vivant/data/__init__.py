"""From clips to labelled training and test data."""
