"""The worker container's program: one recording in an object store to its transcripts.

Follow a run downwards: ``__main__`` (composition) -> ``pipeline`` (the steps) -> ``work`` (units)
-> ``engine`` (Whisper) -> ``delivery`` (outputs and manifest). Nothing flows back up.
"""
