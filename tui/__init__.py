"""The terminal: everything an associate sees."""
