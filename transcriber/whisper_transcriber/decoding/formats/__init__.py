"""The file formats of a transcript: one module for each family. Pure.

Belongs here: what turns a Transcript into the text of a file, and what that needs to lay out
lines and cues.
"""
