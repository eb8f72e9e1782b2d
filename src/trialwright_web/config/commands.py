"""``python -m trialwright_web COMMAND``: what whoever runs an installation does.

``serve`` is a command of ``trialwright``, too, through an entry point.
"""

from __future__ import annotations

import getpass
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

import typer

from trialwright.foundation.errors import InvalidValue, TrialwrightError
from trialwright.foundation.operating_system import SystemClock, SystemEntropy
from trialwright_web.config.databases import database
from trialwright_web.config.environment import PROCESSES, SETTINGS, Environment, SettingInvalid, read_environment
from trialwright_web.config.mail import mail
from trialwright_web.store.installation import read_installation

NEGATIVE = 1

app = typer.Typer(
    name="trialwright_web",
    help="Runs the application: see docs/how-to/install.md and operate.md. Settings come from the environment.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


def main() -> None:
    """Exit code 0 done, 1 a negative answer, 2 wrong settings or usage; never a traceback for what a user did."""
    try:
        app()
    except (TrialwrightError, SettingInvalid) as error:
        sys.stderr.write(f"error: {error}\n")
        sys.exit(2)


def add_to(library: typer.Typer) -> None:
    """Add ``serve`` to the library's command line; called through its entry point."""
    library.command("serve")(serve)


@app.command()
def settings(
    markdown: Annotated[bool, typer.Option(help="Print docs/reference/settings.md instead.")] = False,
) -> None:
    """List every setting, and check those that are set here."""
    if markdown:
        typer.echo(settings_page(), nl=False)
        return
    for setting in SETTINGS:
        default = "required" if setting.default is None else f"default {setting.default or 'empty'}"
        typer.echo(f"{setting.name}\n    {setting.meaning} ({default})")
    check_settings(read_environment())
    typer.echo("\nThe settings of this process are in order.")


def check_settings(environment: Environment) -> None:
    """Hold what the settings name against what is there.

    Raises:
        SettingInvalid: an address of a database or of mail is none, or a folder does not exist.
        TrialwrightError: the list of studies cannot be used.
    """
    for address in (environment.database, environment.identity):
        database(address)
    mail(environment.mail, environment.staff_address)
    if environment.meddra is not None and not environment.meddra.is_dir():
        raise SettingInvalid(f"{environment.meddra} is no folder → TRIALWRIGHT_MEDDRA names that of your MedDRA")
    studies = read_installation(environment.installation, environment.closed, environment.dispensing)
    for name, study in studies.items():
        if not study.folder.is_dir():
            raise SettingInvalid(f"{study.folder} is no folder → {environment.installation} names that of {name}")


def settings_page() -> str:
    """The reference page of the settings."""
    lines = [
        "# Settings",
        "",
        "Every setting is an environment variable; a name beginning with `TRIALWRIGHT_` that is not listed here is",
        "an error, so that a misspelt one is found. `python -m trialwright_web settings` checks them. This page is",
        "made by `python -m trialwright_web settings --markdown`.",
        "",
        "| name | meaning | default |",
        "|---|---|---|",
    ]
    for setting in SETTINGS:
        default = "*required*" if setting.default is None else f"`{setting.default}`" if setting.default else "empty"
        lines.append(f"| `{setting.name}` | {setting.meaning} | {default} |")
    return "\n".join(lines) + "\n"


@app.command()
def init(
    folder: Annotated[Path, typer.Argument(help="A new folder for everything of the installation.")],
    study: Annotated[list[Path], typer.Option(help="Folder of a study; may be repeated.")],
    mode: Annotated[str, typer.Option(help="production, test or rehearsal; of every study named.")] = "test",
    host: Annotated[str, typer.Option(help="Name under which people reach it.")] = "localhost",
) -> None:
    """Write the files of a new installation on SQLite: list of studies, secrets, and the settings of each process."""
    from trialwright_web.config.beginning import begin_installation

    for line in begin_installation(folder.resolve(), [path.resolve() for path in study], mode, host):
        typer.echo(line)


@app.command()
def migrate() -> None:
    """Bring databases, stores and views up to this version; the record itself never changes."""
    _django()
    from django.core.management import call_command

    call_command("prepare_databases")
    _rebuild(None)


@app.command()
def serve(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(help="Port; that of the process's own address by default.")] = 0,
    workers: Annotated[int, typer.Option(help="Processes that answer.")] = 1,
    threads: Annotated[int, typer.Option(help="Threads of each.")] = 4,
    demo: Annotated[Path | None, typer.Option(help="Serve the demonstration in this folder instead.")] = None,
) -> None:
    """Serve the process that TRIALWRIGHT_PROCESS names, or a demonstration."""
    if demo is not None:
        from trialwright_web.config.demo import run

        run(demo, prepare_only=False)
        return
    environment = read_environment()
    _django()
    from trialwright_web.shell.studies import installation

    installation()  # one that contradicts itself is said here, not at the first request
    port = port or urlsplit(environment.address).port or 8000
    arguments = server_command(port, host=host, workers=workers, threads=threads)
    os.execv(arguments[0], arguments)  # noqa: S606 - our own server, in place of this process


def server_command(port: int, *, host: str = "127.0.0.1", workers: int = 1, threads: int = 4) -> list[str]:
    """The command line of the HTTP server."""
    return [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--host", host, "--port", str(port)),
        *("--workers", str(workers), "--blocking-threads", str(threads), "--backlog", "1024", "--no-ws"),
        *("--log-level", "warning", "trialwright_web.config.wsgi:application"),
    ]


@app.command()
def worker(once: Annotated[bool, typer.Option(help="Do what waits and end.")] = False) -> None:
    """Sign checkpoints, send mail, forget people, make exports, forget what is too old: until told to stop."""
    stopped = _told_to_stop()  # before anything that takes its time: told early, it ends in order, too
    _django()
    from trialwright_web.config.worker import Worker

    own = Worker(SystemClock())
    if once:
        while own.round() and not stopped.is_set():
            pass
        return
    typer.echo(f"The worker of the process {_environment().process} is at work.")
    own.run(stopped)


def _told_to_stop() -> threading.Event:
    """Set when the process is told to stop (SIGTERM, SIGINT); the round at hand is finished first."""
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    return stopped


@app.command()
def invite(
    person: Annotated[str, typer.Argument(help="The person's id in the record; becomes the user name.")],
    email: Annotated[str, typer.Option(help="Where mails that say 'sign in' go.")] = "",
) -> None:
    """Print a one-time link with which a person chooses their own password; also after it, or the phone, was lost."""
    _django()
    from trialwright_web.accounts.invitations import invite as make

    typer.echo(f"{_environment().staff_address}{make(person, email)}")
    typer.echo("Hand it over so that only they get it. It works once, for three days.")


@app.command()
def begin(
    study: Annotated[str, typer.Argument(help="Id of an installed study.")],
    sponsor: Annotated[str, typer.Argument(help="Person who acts for the sponsor.")],
    organisation: Annotated[str, typer.Option(help="The sponsor.")],
) -> None:
    """Begin the record of a study, with its first sponsor; everything else is done at desks."""
    _django()
    from trialwright.protocol.roles import Role
    from trialwright.trial.command import Actor
    from trialwright.trial.setup.commands import CreateStudy
    from trialwright_web.shell.studies import installation

    if study not in installation().studies:
        raise InvalidValue(f"{study} is not installed", remedy=f"use one of {', '.join(installation().studies)}")
    installation().trial(study).dispatch(
        CreateStudy(build=installation().folder_build(study).id),
        by=Actor(sponsor, Role.SPONSOR, organisation),
        request_id="begin." + SystemEntropy().bytes(16, purpose="request id", stream="web", position=0).hex(),
    )
    typer.echo(f"The record of {study} has begun; {sponsor} signs in and approves the build.")


@app.command()
def key() -> None:
    """Print the public key that verifies the checkpoints; publish it where nobody here can change it."""
    environment = read_environment()
    if environment.checkpoints is None:
        raise InvalidValue("no checkpoints are made", remedy="set TRIALWRIGHT_CHECKPOINTS")
    from trialwright_web.shell.checkpoints import signing_key

    typer.echo(str(signing_key(environment.checkpoints, "").verifier))


@app.command("rebuild-views")
def rebuild_views(
    study: Annotated[list[str] | None, typer.Argument(help="Ids of studies; all by default.")] = None,
) -> None:
    """Empty the views of every space this process holds and fold the record again."""
    _django()
    _rebuild(study)


def _rebuild(study: list[str] | None) -> None:
    from trialwright_web.shell.studies import installation

    for name in study or installation().studies:
        if name not in installation().studies:
            raise InvalidValue(f"{name} is not installed", remedy=f"use one of {', '.join(installation().studies)}")
        trial = installation().trial(name)
        for space in dict.fromkeys(trial.ledgers) if not trial.one_space else list(trial.ledgers)[:1]:
            typer.echo(f"{name} {space.value}: {trial.rebuild_views(space):,} facts")


@app.command()
def backup(folder: Annotated[Path, typer.Argument(help="A new folder.")]) -> None:
    """Copy everything this process knows, while people work; the closed process knows both spaces."""
    from trialwright_web.config.backup import back_up_all

    made = back_up_all(read_environment(), folder, SystemClock().now())
    for name, heads in made.heads.items():
        for ledger, head in heads.items():
            typer.echo(f"{name}: {ledger} up to entry {head['size']:,}")
    typer.echo(f"Backup: {folder}")


@app.command()
def restore(
    folder: Annotated[Path, typer.Argument(help="Folder of the backup.")],
    checkpoint: Annotated[list[Path], typer.Option(help="A checkpoint that somebody kept outside; may be repeated.")],
    key: Annotated[list[str], typer.Option(help="A public key that you trust, or a file with it; may be repeated.")],
) -> None:
    """Put a backup back and hold it against checkpoints held outside. Exit code 1 where something is missing."""
    from trialwright_web.config.backup import restore_all

    notes = [path.read_text(encoding="utf-8") for path in checkpoint]
    keys = [text if "+" in text else Path(text).read_text(encoding="utf-8") for text in key]
    found, waiting = restore_all(read_environment(), folder, notes, keys, SystemClock().now())
    for report in found.reports:
        typer.echo(str(report))
    for loss in found.losses:
        typer.echo(
            f"MISSING: {loss.ledger_id} has {loss.has:,} entries, {loss.covered:,} were covered outside: "
            f"{loss.covered - loss.has:,} are lost"
        )
    if found.losses:
        typer.echo("These studies are read-only until the loss is accepted: python -m trialwright_web accept-loss")
    for study, why in waiting.items():
        typer.echo(f"{study}: the record is whole; its views are not folded, and it is read-only: {why}")
    if found.losses or waiting:
        raise typer.Exit(NEGATIVE)


@app.command("accept-loss")
def accept_loss(
    study: Annotated[str, typer.Argument(help="A study that came back behind.")],
    person: Annotated[str, typer.Argument(help="Who accepts; gives their password.")],
    reason: Annotated[str, typer.Option(help="What is known of the loss, and what is done about it.")],
) -> None:
    """Let a study that came back behind be written again, in somebody's name; with the closed process's settings."""
    _django()
    from trialwright_web.accounts.models import Account
    from trialwright_web.config.backup import accept_loss as accept

    account = Account.objects.filter(username=person, is_active=True).first()
    if account is None or not account.check_password(getpass.getpass(f"Password of {person}: ")):
        raise InvalidValue("the name or the password is not right", remedy="the person types their own password")
    typer.echo(f"Kept in {accept(_environment(), study, person, reason, SystemClock().now())}")


def _environment() -> Environment:
    from django.conf import settings as django

    environment: Environment = django.ENVIRONMENT
    return environment


def _django() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "trialwright_web.config.settings")  # noqa: TID251 - Django's way
    import django

    django.setup()


__all__ = ["PROCESSES", "add_to", "app", "check_settings", "main", "server_command", "settings_page"]
