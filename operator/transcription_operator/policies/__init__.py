"""What is decided about a TranscriptionJob: pure functions of what was observed and of the time.

What belongs here does no I/O and reads no clock: given the same observation it gives the same
actions, manifests and status.
"""
