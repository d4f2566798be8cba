"""Wires to devices: bytes in, readings out; jobs in, outcomes out."""
