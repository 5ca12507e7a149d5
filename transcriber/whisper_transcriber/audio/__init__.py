"""Recordings as samples: fetching, decoding by ffmpeg, voice activity detection, windows.

Belongs here: everything between an object's bytes and the windows of speech that a model decodes.
"""
