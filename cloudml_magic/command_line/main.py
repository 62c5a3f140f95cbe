"""Reads the command line and calls the one function that each command stands for."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from cloudml_magic.command_line import doctor, package, platform, serve
from cloudml_magic.errors import CloudMLError


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs a command; 0 when it did what it says, 1 with one clear message when it could not."""
    options = _parser().parse_args(arguments)
    try:
        result: int = options.run(options)
        return result
    except CloudMLError as error:
        print(error.rendered(), file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader has gone, as in `cloudml jobs | head`; nothing more can be said to it.
        sys.stderr.close()
        return 1
    except KeyboardInterrupt:
        return 130


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="cloudml", description="Jobs of notebook cells, here or in the cloud.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    platform.declare(commands)
    jobs = commands.add_parser("jobs", help="list the jobs")
    jobs.set_defaults(run=_jobs)
    doctor.declare(commands)
    package.declare(commands)
    serve.declare(commands)
    return parser


def _jobs(options: argparse.Namespace) -> int:
    from cloudml_magic import pipeline
    from cloudml_magic.wording import job_table

    listed = pipeline.list_jobs()
    print(job_table([job.last_seen for job in listed.jobs], time.time()))
    for line in listed.lines():
        print(line, file=sys.stderr)
    return 0
