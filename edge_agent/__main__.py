"""``edge-agent``, also as ``python -m edge_agent``: the command line."""

from __future__ import annotations

from edge_agent.lean import begin


def main() -> None:
    """Run a command."""
    begin()
    from edge_agent.cli import main as command_line

    command_line()


if __name__ == "__main__":
    main()
