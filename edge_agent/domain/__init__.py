"""Pure values and decisions of the trade: no clock, disk, wire, log or thread.

Values are frozen ``msgspec.Struct``s, as everywhere in the agent where a value has nothing but fields: to define one takes a fiftieth of what a
dataclass takes (a register defines some two hundred before it answers), and ``replace``, which ``evolve`` lives by, a thirtieth. What has fields
that are not its arguments (``CodeRules``) or that change (``Desk``) stays a dataclass. Nothing else of msgspec is used here: how a value becomes
bytes is decided outside.
"""
