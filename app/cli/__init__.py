"""The command line: one file a command, each of which parses, calls and prints. Only this room exits."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from .. import __version__
from ..errors import SwinliteError
from ..interrupts import STOPS, exit_code, heed_termination
from .benchmark import benchmark
from .convert import convert
from .evaluate import evaluate
from .predict import predict
from .report import report
from .say import say
from .train import train
from .weights import weights


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="swinlite")
def cli() -> None:
    """Segment medical pictures and volumes from boxes, on a CPU."""


cli.add_command(benchmark)
cli.add_command(convert)
cli.add_command(evaluate)
cli.add_command(predict)
cli.add_command(report)
cli.add_command(train)
cli.add_command(weights)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit code: 0 done, 1 a case failed, 2 usage or set-up, 130 or 143 interrupted."""
    try:
        code = cli.main(args=arguments, prog_name="swinlite", standalone_mode=False)
        return code if isinstance(code, int) else 0
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except SwinliteError as error:
        say(f"swinlite: {error}")
        return error.exit_code
    except ModuleNotFoundError as error:
        library = str(error.name).partition(".")[0]
        if library == __package__.partition(".")[0]:
            raise
        say(f"swinlite: this needs {library}, which is not installed here; pip install {library}")
        return SwinliteError.exit_code
    except (click.Abort, *STOPS) as stop:
        say("swinlite: interrupted")
        return exit_code(stop)


def run() -> None:
    """Entry point of the program."""
    heed_termination()
    sys.exit(main())
