"""One file per platform that a register can be connected to; the configuration names it."""
