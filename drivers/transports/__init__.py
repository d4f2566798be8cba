"""Wires that move bytes: they open, read, write and close, and say what is wrong in the words of the error tree."""
