"""Central's HTTP face: one module per group of endpoints."""
