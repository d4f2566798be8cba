"""The disk and the wire to central."""
