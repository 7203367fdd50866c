"""What the database of a deployment holds."""

from __future__ import annotations

import psycopg


def kept_questions(database_url: str) -> dict[str, str]:
    """Every question with a complete reply, and whose it is."""
    with psycopg.connect(database_url) as connection:
        rows = connection.execute("SELECT message, session FROM interactions WHERE reply <> ''").fetchall()
    return {str(message): str(session) for message, session in rows}
