"""Every setting the application reads from its environment, in one list that is checked and documented."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

PROCESSES = ("staff", "closed", "public")


class SettingInvalid(Exception):
    """A setting is missing or cannot be what it claims to be; says which, and what to do."""


@dataclass(frozen=True)
class Setting:
    """One environment variable.

    Args:
        name: of the variable.
        meaning: one sentence.
        default: used where it is absent; None where it must be given.
    """

    name: str
    meaning: str
    default: str | None


SETTINGS = (
    Setting("TRIALWRIGHT_PROCESS", "Which process this is: staff, closed or public.", "staff"),
    Setting("TRIALWRIGHT_INSTALLATION", "File that lists the studies and their open stores (TOML).", None),
    Setting("TRIALWRIGHT_CLOSED", "File that lists the closed stores and dispensing keys; closed process only.", ""),
    Setting("TRIALWRIGHT_DISPENSING", "File that lists the dispensing keys of open studies; staff process only.", ""),
    Setting("TRIALWRIGHT_SECRET_KEY_FILE", "File of 50 or more random characters; signs sessions.", None),
    Setting("TRIALWRIGHT_DATABASE", "Accounts, sessions, drafts: sqlite:///… or postgresql://…", None),
    Setting("TRIALWRIGHT_IDENTITY", "Who the participants are: sqlite:///… or postgresql://…", None),
    Setting("TRIALWRIGHT_HOSTS", "Host names the process answers to, separated by commas.", "localhost"),
    Setting("TRIALWRIGHT_HTTPS", "yes: cookies over HTTPS only; no: for one machine.", "yes"),
    Setting("TRIALWRIGHT_SECOND_FACTOR", "required, or optional where no study is real.", "required"),
    Setting("TRIALWRIGHT_IDLE_MINUTES", "Minutes without a request after which a session ends (5 to 240).", "30"),
    Setting("TRIALWRIGHT_MAIL", "smtp://USER:PASSWORD@HOST:PORT, or file:///FOLDER to write mails into files.", ""),
    Setting("TRIALWRIGHT_STAFF_ADDRESS", "Where the staff process is reached.", "http://localhost:8000"),
    Setting("TRIALWRIGHT_CLOSED_ADDRESS", "Where the closed process is reached.", "http://localhost:8001"),
    Setting("TRIALWRIGHT_PUBLIC_ADDRESS", "Where the public process is reached.", "http://localhost:8002"),
    Setting("TRIALWRIGHT_CHECKPOINTS", "Folder that gets each signed checkpoint; empty: none are handed out.", ""),
    Setting("TRIALWRIGHT_ATTACHMENTS", "Folder of sealed attachments; empty: attachments are refused.", ""),
    Setting("TRIALWRIGHT_FILES", "Folder of exports that were asked for; kept for seven days.", ""),
    Setting("TRIALWRIGHT_PROXIES", "How many reverse proxies of ours a request passes (0 to 5).", "0"),
    Setting("TRIALWRIGHT_METRICS_TOKEN_FILE", "File with what /metrics asks for; empty: no metrics.", ""),
    Setting("TRIALWRIGHT_MEDDRA", "Folder of your own copy of MedDRA (.asc files); empty: codes are typed.", ""),
    Setting("TRIALWRIGHT_WATCH", "yes: templates are read again at each request (for development).", "no"),
)  # fmt: skip


@dataclass(frozen=True)
class Environment:
    """The settings as read and checked."""

    process: str
    installation: Path
    closed: Path | None
    dispensing: Path | None
    secret_key: str
    database: str
    identity: str
    hosts: tuple[str, ...]
    https: bool
    second_factor_required: bool
    idle_minutes: int
    mail: str
    staff_address: str
    closed_address: str
    public_address: str
    checkpoints: Path | None
    attachments: Path | None
    meddra: Path | None
    files: Path | None
    proxies: int
    metrics_token: str
    watch: bool

    @property
    def address(self) -> str:
        """Where this process is reached."""
        addresses = {"staff": self.staff_address, "closed": self.closed_address, "public": self.public_address}
        return addresses[self.process]


def read_environment(given: Mapping[str, str] | None = None) -> Environment:
    """The settings of this process.

    Args:
        given: variables; those of the process by default.

    Raises:
        SettingInvalid: a variable is missing, unknown or unreadable.
    """
    variables = os.environ if given is None else given  # noqa: TID251 - the edge where the environment is read
    known = {setting.name for setting in SETTINGS}
    unknown = sorted(name for name in variables if name.startswith("TRIALWRIGHT_") and name not in known)
    if unknown:
        raise SettingInvalid(f"{unknown[0]} is no setting → use one of {', '.join(sorted(known))}")
    values = {setting.name.removeprefix("TRIALWRIGHT_").lower(): _value(setting, variables) for setting in SETTINGS}
    process = _one_of("PROCESS", values["process"], PROCESSES)
    if values["closed"] and process != "closed":
        raise SettingInvalid(f"TRIALWRIGHT_CLOSED is given to the {process} process → only the closed process has it")
    if values["dispensing"] and process != "staff":
        raise SettingInvalid(
            f"TRIALWRIGHT_DISPENSING is given to the {process} process → only the staff process has it"
        )
    return Environment(
        process=process,
        installation=Path(values["installation"]),
        closed=_path(values["closed"]),
        dispensing=_path(values["dispensing"]),
        secret_key=_secret("SECRET_KEY", values["secret_key_file"], 50),
        database=values["database"],
        identity=values["identity"],
        hosts=tuple(host.strip() for host in values["hosts"].split(",") if host.strip()),
        https=_one_of("HTTPS", values["https"], ("yes", "no")) == "yes",
        second_factor_required=_one_of("SECOND_FACTOR", values["second_factor"], ("required", "optional"))
        == "required",
        idle_minutes=_whole("IDLE_MINUTES", values["idle_minutes"], 5, 240),
        mail=values["mail"],
        staff_address=_address("STAFF", values["staff_address"]),
        closed_address=_address("CLOSED", values["closed_address"]),
        public_address=_address("PUBLIC", values["public_address"]),
        checkpoints=_path(values["checkpoints"]),
        attachments=_path(values["attachments"]),
        meddra=_path(values["meddra"]),
        files=_path(values["files"]),
        proxies=_whole("PROXIES", values["proxies"], 0, 5),
        metrics_token=_secret("METRICS_TOKEN", values["metrics_token_file"], 20),
        watch=_one_of("WATCH", values["watch"], ("yes", "no")) == "yes",
    )


def _value(setting: Setting, variables: Mapping[str, str]) -> str:
    value = variables.get(setting.name, setting.default)
    if value is None or (setting.default is None and not value):
        raise SettingInvalid(f"{setting.name} is not set → {setting.meaning}")
    return value


def _one_of(name: str, value: str, allowed: tuple[str, ...]) -> str:
    if value not in allowed:
        raise SettingInvalid(f"TRIALWRIGHT_{name} is {value[:40]!r} → use one of {', '.join(allowed)}")
    return value


def _address(name: str, value: str) -> str:
    """Scheme and host, where a process is reached; letters and mails hold it."""
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
        raise SettingInvalid(f"TRIALWRIGHT_{name}_ADDRESS is {value[:80]!r} → give https://HOST or http://HOST:PORT")
    return value.rstrip("/")


def _path(value: str) -> Path | None:
    return Path(value) if value else None


def _whole(name: str, value: str, least: int, most: int) -> int:
    if not (value.isascii() and value.isdecimal() and len(value) < 6 and least <= int(value) <= most):
        raise SettingInvalid(f"TRIALWRIGHT_{name} is {value[:40]!r} → give a whole number from {least} to {most}")
    return int(value)


def _secret(name: str, path: str, least: int) -> str:
    """What the file holds; nothing where no file is named and none has to be."""
    if not path:
        return ""
    try:
        secret = Path(path).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise SettingInvalid(f"{path} cannot be read → TRIALWRIGHT_{name}_FILE names a file of ASCII text") from None
    if len(secret) < least:
        raise SettingInvalid(f"{path} holds {len(secret)} characters → make it at least {least} random ones")
    return secret
