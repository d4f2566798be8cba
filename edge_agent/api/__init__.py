"""The local HTTP API: commands in, numbered snapshots out."""
