"""The operator: watches TranscriptionJobs, runs Kubernetes Jobs, writes status.

Read downwards: handlers -> reconcile -> job and status -> cluster.
"""
