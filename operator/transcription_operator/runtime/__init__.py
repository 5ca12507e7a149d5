"""What runs: watches, the workqueue, reconciling, scraping, metrics and health.

What belongs here does I/O, keeps caches or owns a task of the event loop.
"""
