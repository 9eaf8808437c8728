"""One module a manner of motion: prepare once, then look at any time."""
