"""The API server, reached: credentials, requests, watches, leader election.

What belongs here knows Kubernetes and no TranscriptionJob. Read upwards: access -> client ->
collection -> informer and lease.
"""
