"""The load test: the whole pipeline, many messages at once, and what came of it."""
