"""Bytes to frames, pure: no wire, no clock."""
