"""A service at work for this program: the facade's own words, over HTTP."""
