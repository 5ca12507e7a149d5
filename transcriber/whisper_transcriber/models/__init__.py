"""Checkpoints: the official catalogue, the cache on disk, and where a checkpoint comes from."""
