"""Drawing: pure functions from what is shown to lines of text with roles; no widget, no colour, no terminal."""
