"""The files of a new installation: which studies, which secrets, and the settings of each process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from trialwright.foundation.errors import InvalidValue
from trialwright.foundation.operating_system import SystemEntropy
from trialwright.protocol import load_study
from trialwright_web.config.environment import PROCESSES
from trialwright_web.store.installation import MODES

PORTS = {"staff": 8000, "closed": 8001, "public": 8002}


def begin_installation(folder: Path, studies: Sequence[Path], mode: str, host: str) -> Iterator[str]:
    """Write ``installation.toml``, ``closed.toml``, ``dispensing.toml``, ``secret.key`` and an ``.env`` file for each
    process.

    Args:
        folder: absolute; must not exist or be empty.
        studies: absolute folders of studies.
        mode: of every study; can never be changed once its record has begun.
        host: name under which people reach it.

    Raises:
        InvalidValue: the folder holds something, or there is no such mode.
        FindingsError: a study that cannot be read.
    """
    if mode not in MODES:
        raise InvalidValue(f"{mode[:40]!r} is not a mode", remedy=f"use one of {', '.join(MODES)}")
    if folder.exists() and any(folder.iterdir()):
        raise InvalidValue(f"{folder} is not empty", remedy="name a new folder", folder=str(folder))
    loaded = [(load_study(path).study.identity, path) for path in studies]
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    _private(folder / "secret.key", SystemEntropy().bytes(48, purpose="secret key", stream="web", position=0).hex())
    _private(folder / "metrics.token", SystemEntropy().bytes(24, purpose="token", stream="web", position=0).hex())
    # What is rehearsed is about nobody.
    sealed = "" if mode == "rehearsal" else "seal_texts = true\n"
    tables = [
        f'[studies.{one.id}]\nfolder = "{path}"\nstore = "sqlite:///open/{one.id}.db"\nmode = "{mode}"\n{sealed}'
        for one, path in loaded
    ]
    closed = [
        f'[studies.{one.id}]\nstore = "sqlite:///closed/{one.id}.db"\n'
        f'# dispensing_key = "closed/{one.id}.dispensing.key"\n'
        f'# dispensing_password_file = "closed/{one.id}.password"\n'
        for one, _ in loaded
        if one.blinding.kind == "blinded"
    ]
    dispensing = [
        f"[studies.{one.id}]\n"
        f'# dispensing_key = "dispensing/{one.id}.dispensing.key"\n'
        f'# dispensing_password_file = "dispensing/{one.id}.password"\n'
        for one, _ in loaded
        if one.blinding.kind == "open"
    ]
    _private(folder / "dispensing.toml", "\n".join(dispensing))
    _private(folder / "installation.toml", "\n".join(tables))
    _private(folder / "closed.toml", "\n".join(closed))
    for name in ("open", "closed", "dispensing", "accounts", "identity"):
        (folder / name).mkdir(mode=0o700)
    for process in PROCESSES:
        path = folder / f"{process}.env"
        _private(path, _settings(folder, process, mode, host))
        yield f"{path}"
    yield "For each process: load its file into the environment, then `python -m trialwright_web migrate`."


def _settings(folder: Path, process: str, mode: str, host: str) -> str:
    own = "public" if process == "public" else "staff"
    local = host == "localhost"
    values = {
        "PROCESS": process,
        "INSTALLATION": str(folder / "installation.toml"),
        **({"CLOSED": str(folder / "closed.toml")} if process == "closed" else {}),
        **({"DISPENSING": str(folder / "dispensing.toml")} if process == "staff" else {}),
        "SECRET_KEY_FILE": str(folder / "secret.key"),
        "METRICS_TOKEN_FILE": str(folder / "metrics.token"),
        "DATABASE": f"sqlite:///{folder}/accounts/{own}.db",
        "IDENTITY": f"sqlite:///{folder}/identity/identity.db",
        "HOSTS": urlsplit(_address(host, process)).hostname or host,
        "HTTPS": "no" if local else "yes",
        "SECOND_FACTOR": "required" if mode == "production" or not local else "optional",
        "PROXIES": "0" if local else "1",
        "CHECKPOINTS": str(folder / "handed-out" / "checkpoints"),
        "ATTACHMENTS": str(folder / "attachments"),
        "FILES": str(folder / "files"),
        "STAFF_ADDRESS": _address(host, "staff"),
        "CLOSED_ADDRESS": _address(host, "closed"),
        "PUBLIC_ADDRESS": _address(host, "public"),
    }
    return "".join(f"TRIALWRIGHT_{name}={value}\n" for name, value in values.items())


def _address(host: str, process: str) -> str:
    if host == "localhost":
        return f"http://localhost:{PORTS[process]}"
    return f"https://{host}" if process == "public" else f"https://{process}.{host}"


def _private(path: Path, text: str) -> None:
    path.touch(mode=0o600)
    path.write_text(text, encoding="utf-8")
