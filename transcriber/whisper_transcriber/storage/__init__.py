"""Places where objects lie: S3, https servers, local folders; and who may be asked for what.

Belongs here: whatever speaks a storage protocol, its credentials, its retries and its refusals.
Knows nothing of recordings, models or jobs.
"""
