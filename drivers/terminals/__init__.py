"""One package per payment terminal protocol; each offers ``build(config, context)`` and fits ``contract.TerminalDriver``."""
