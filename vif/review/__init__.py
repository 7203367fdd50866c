"""Blind human judgement of readings and replies: campaigns, ratings, and what they come to."""
