"""Widgets: what puts drawn lines on the terminal, and the few things that take keys."""
