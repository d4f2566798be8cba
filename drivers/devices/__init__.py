"""One file per device kind, each with `build(config, context)`; the configuration names it by its module."""
