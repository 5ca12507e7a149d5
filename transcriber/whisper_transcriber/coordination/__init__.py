"""How the workers of a job share it: plan, claims, batches, delivery, manifest.

Belongs here: the workspace in the object store, what its files mean, and the loop over them.
"""
