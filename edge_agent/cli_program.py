"""What every command shares: its configuration, its exit codes, and how its expected failures end."""

from __future__ import annotations

import errno
import sys
from typing import NoReturn

import click

from edge_agent.attach import ScreenBroke
from edge_agent.cli_text import unreachable
from edge_agent.client import ApiProblem, ServiceUnreachable
from edge_agent.config import Config, read_config
from edge_agent.domain.errors import ConfigError, EdgeError
from edge_agent.domain.one_line import one_line

EXIT_FAILED, EXIT_UNREACHABLE = 1, 3


class Program(click.Group):
    """Every expected failure ends in a line (a configuration's mistakes: a line each) and what to do, never in a traceback."""

    def invoke(self, ctx: click.Context) -> object:
        """Run a command and translate its expected failures into exit codes: 1 refused or wrong, 3 the service does not answer."""
        try:
            return super().invoke(ctx)
        except ConfigError as error:
            *before, last = error.each
            for mistake in before:
                self._say(mistake.message, "")
            self._fail(last.message, f"{len(error.each)} mistakes. The handbook's example has every key." if before else last.hint, EXIT_FAILED)
        except EdgeError as error:
            self._fail(error.message, error.hint, EXIT_FAILED)
        except ApiProblem as error:
            self._fail(error.problem.detail, error.problem.hint, EXIT_FAILED)
        except ServiceUnreachable as error:
            self._fail(*unreachable(error), EXIT_UNREACHABLE)
        except ScreenBroke as error:
            self._fail(str(error), error.hint, EXIT_FAILED)
        except OSError as error:
            if error.errno == errno.EPIPE:
                raise  # whoever read our output has enough
            told = f"{error.filename}: {error.strerror}." if error.filename else f"{error.strerror or error}."
            self._fail(told, "Check that this user may read and write there: `edge-agent install` gives the files to the service's own user.", EXIT_FAILED)

    def _fail(self, message: str, hint: str, code: int) -> NoReturn:
        self._say(message, hint)
        sys.exit(code)

    @staticmethod
    def _say(message: str, hint: str) -> None:
        click.echo(f"error: {one_line(message)}", err=True)
        if hint:
            click.echo(f"  {one_line(hint)}", err=True)


def config_of(context: click.Context) -> Config:
    """The configuration. Raises ConfigError for everything that ``config check`` would find, once the file has a mistake at all."""
    config, mistakes = read_config(context.obj)
    if mistakes:
        from edge_agent.hosting import check_config

        check_config(config, mistakes)
    return config
