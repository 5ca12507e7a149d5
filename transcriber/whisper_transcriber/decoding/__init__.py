"""From an engine's results to a transcript: fallback, joining, output formats. Pure.

Belongs here: what decides about text, and what writes it. Knows an engine by its protocol alone.
"""
