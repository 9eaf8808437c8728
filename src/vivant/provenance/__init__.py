"""Marked, signed, verifiable output."""
