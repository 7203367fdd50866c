"""What can be seen of interactions from outside: logs, spans, metrics, and live figures for a page.

Each is an `Observer`: it is told of every interaction, in the same words, and never asked anything.
"""
