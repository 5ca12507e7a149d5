"""The worker container's program: recordings in an object store to their transcripts.

Follow a run downwards: ``__main__`` -> ``composition`` -> ``pipeline`` (the steps) ->
``coordination`` (batches, shared with other workers) -> ``decoding`` (text) -> ``engine`` (Whisper).
``audio`` turns objects into samples, ``models`` finds checkpoints, ``storage`` reaches both.
Nothing flows back up.
"""
