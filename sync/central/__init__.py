"""The reference central platform: one process on SQLite that takes in the registers' facts and publishes what they need to sell.

Its own program (``edge-central``) with its own composition root (``central.py``). It knows the wire contract and the domain's values, and nothing of
the edge's service, drivers or storage.
"""
