"""Seeing: from one picture to kinds, things, mattes, depth, and what may move."""
