"""Measuring LLM #1: suites of labelled messages, runs over models, statistics that say how sure they are."""
