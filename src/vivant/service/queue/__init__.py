"""The durable queue on DBOS; nothing outside this package imports it."""
