"""What a shop does: the service of an in-store clienteling and point-of-sale edge agent."""

__version__ = "0.1.0"
