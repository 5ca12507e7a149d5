"""The operator: watches TranscriptionJobs, runs Kubernetes Jobs, writes status.

``runtime`` does, ``policies`` decide. Read: runtime/app -> runtime/reconciler -> policies/decide
and policies/status.
"""
