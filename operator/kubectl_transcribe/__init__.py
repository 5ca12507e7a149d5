"""`kubectl transcribe`: recordings on this machine in, transcripts on this terminal out.

It knows the cluster as its user does: what a user may not do, it cannot do either.
"""
