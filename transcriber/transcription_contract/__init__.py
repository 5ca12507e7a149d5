"""What the operator and the transcriber agree on. Imports nothing of ours.

Both sides of every wire format live in one module, so that they cannot drift apart: the Task
(operator -> worker), the termination message (worker -> operator), the exit codes (worker -> Job
controller and operator), the metric names, and where results lie in the object store.
"""

__version__ = "0.1.0"
