"""`cloudml platform`: start, status, stop, logs, reset, and what another client needs."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from cloudml_magic.command_line.other_clients import CLIENTS, for_shell
from cloudml_magic.connection import running_platform
from cloudml_magic.errors import CloudMLError
from cloudml_magic.ledger import Ledger
from cloudml_magic.local_platform import lifecycle
from cloudml_magic.local_platform.address import PlatformAddress
from cloudml_magic.places import PlatformPlaces
from cloudml_magic.records import Target
from cloudml_magic.settings import Settings
from cloudml_magic.wording import duration


def declare(commands: Any) -> None:
    """Declares the command and what follows it."""
    parser = commands.add_parser("platform", help="the local platform of this user")
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    actions.add_parser("start", help="start it, unless it runs").set_defaults(run=_start)
    actions.add_parser("status", help="whether it runs, and what it does").set_defaults(run=_status)
    actions.add_parser("stop", help="stop it; jobs go on and are found again").set_defaults(run=_stop)
    logs = actions.add_parser("logs", help="print its own log")
    logs.add_argument("-n", type=int, default=50, metavar="LINES", help="only the last lines (50)")
    logs.set_defaults(run=_logs)
    reset = actions.add_parser("reset", help="stop it and forget its jobs; files in buckets stay")
    reset.add_argument("--yes", action="store_true", help="do not ask")
    reset.set_defaults(run=_reset)
    env = actions.add_parser("env", help="what another client needs to talk to it")
    env.add_argument("--json", action="store_true", help="print it as JSON, with the token itself")
    env.add_argument(
        "--for", dest="client", choices=CLIENTS, help="print what one client needs: Python that runs, or variables"
    )
    env.set_defaults(run=_env)


def _running() -> PlatformAddress:
    return running_platform(Settings())


def _start(options: argparse.Namespace) -> int:
    print(f"The local platform runs at {_running().endpoint}.")
    return 0


def _status(options: argparse.Namespace) -> int:
    address = lifecycle.find_running()
    if address is None:
        print("The local platform does not run. The first job starts it, or `cloudml platform start`.")
        return 3
    status = lifecycle.status(address)
    free = status["disk"]["freeBytes"] / 1e9
    print(f"The local platform runs at {address.endpoint} (process {address.pid}, version {status['version']}).")
    print(f"  up       {duration(status['uptimeSeconds'])}")
    print(f"  jobs     {status['runningJobs']} running, {status['queuedJobs']} waiting")
    print(f"  models   {status['deployedModels']} deployed, {status['runningPredictors']} awake")
    print(f"  buckets  {status['folders']['buckets']} ({free:.0f} GB free)")
    return 0


def _stop(options: argparse.Namespace) -> int:
    stopped = lifecycle.stop()
    print("Stopped. Jobs that run go on." if stopped else "The local platform did not run.")
    return 0


def _logs(options: argparse.Namespace) -> int:
    file = PlatformPlaces.of_this_user().server_log
    try:
        lines = file.read_text("utf-8", "replace").splitlines()
    except FileNotFoundError:
        print(f"There is no log yet: {file}")
        return 0
    print("\n".join(lines[-options.n :] if options.n > 0 else []))
    return 0


def _reset(options: argparse.Namespace) -> int:
    places = PlatformPlaces.of_this_user()
    question = f"Forget every job of the local platform? What lies in {places.buckets} stays. [y/N] "
    if not options.yes and (not sys.stdin.isatty() or input(question).strip().lower() != "y"):
        raise CloudMLError("not-reset", "Nothing was changed.", next="Answer y, or say --yes.")
    lifecycle.reset()
    Ledger().forget_target(Target.LOCAL)
    print(f"The local platform is stopped and has no jobs. Files in {places.buckets} are as they were.")
    return 0


def _env(options: argparse.Namespace) -> int:
    address = _running()
    if options.json:
        known = {
            "endpoint": address.endpoint,
            "storage": address.endpoint,
            "token": address.token,
            "project": address.project,
            "region": address.region,
            "bucket": address.bucket,
        }
        print(json.dumps(known, indent=2))
        return 0
    write = CLIENTS[options.client] if options.client else for_shell
    print(write(address, PlatformPlaces.of_this_user().token_file))
    return 0
