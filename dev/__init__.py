"""The local cluster, the demo and the checks: `python3 -m dev VERB`.

Everything here runs on the bare Python of the machine, before any virtual
environment exists: standard library only.
"""
