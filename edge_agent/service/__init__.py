"""Use cases: each a few lines of order between ports."""
