"""The service: one HTTP API over a durable queue."""
