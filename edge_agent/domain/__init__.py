"""Pure values and decisions of the trade: no clock, disk, wire, log or thread."""
