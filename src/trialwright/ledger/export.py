"""Writing a ledger so that it can be read and verified without us, for as long as the bytes last."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path

from trialwright.ledger import verify
from trialwright.ledger.checkpoints import parse_checkpoint
from trialwright.ledger.entries import Entry
from trialwright.ledger.errors import ExportRefused, ProofRejected
from trialwright.ledger.merkle import Frontier, inclusion_proof
from trialwright.ledger.port import Head, Ledger

WHOLE, PARTIAL, STREAM = 1, 2, 3
"""The format of a copy of everything, of one that holds some entries as their hashes only, of one stream alone."""

Shown = Callable[[str], bool]
"""Whether the entries of a stream are copied whole."""


def write_export(
    ledger: Ledger, target: Path, *, checkpoints: Iterable[str] = (), shown: Shown | None = None
) -> Head:
    """Write the ledger to a new folder, or to a zip file if the name ends in ``.zip``.

    It holds ``ledger.json`` (id and head), ``entries.jsonl`` (one entry a line, bodies byte for byte),
    ``checkpoints/`` and ``verify.py``. The same ledger and checkpoints give the same bytes.

    Args:
        ledger: the ledger; entries that arrive meanwhile are left out.
        target: a name that does not exist yet.
        checkpoints: the texts kept with it.
        shown: streams to copy whole; of the others the copy holds the hashes, so that it is verified like a copy of
            everything and tells nothing else about them (each body has a salt). All by default.

    Returns:
        The head that was written.

    Raises:
        ExportRefused: the target exists, or its folder does not.
    """
    _refuse_old(target)
    head = ledger.head()
    _write(target, _parts(ledger, head, checkpoints, shown))
    return head


def write_stream(ledger: Ledger, stream: str, note: str, target: Path) -> int:
    """Write one stream, a participant's file, with a proof for each entry: it is verified without any other entry.

    It holds ``ledger.json``, ``entries.jsonl``, ``proofs.txt`` (a line an entry: the hashes of its inclusion proof,
    RFC 9162), the checkpoint that the proofs lead to, and ``verify.py``.

    Args:
        ledger: the ledger.
        stream: its name, ``participant/P-001``.
        note: a checkpoint of the ledger; entries after it are left out.
        target: a new folder, or zip file, as in :func:`write_export`.

    Returns:
        The number of entries written.

    Raises:
        ExportRefused: the target exists, or its folder does not.
        CheckpointMalformed: the note is no checkpoint.
        ProofRejected: the ledger is shorter than the checkpoint says, or is not what it says.
    """
    _refuse_old(target)
    checkpoint = parse_checkpoint(note)
    leaves = ledger.leaves(checkpoint.size)
    if checkpoint.origin != ledger.ledger_id or Frontier.of(leaves).root() != checkpoint.root:
        raise ProofRejected(
            f"the checkpoint of {checkpoint.size} entries is not one of {ledger.ledger_id} as it stands",
            remedy="do not rely on the ledger before the difference is explained",
        )
    entries = [entry for entry in ledger.read_stream(stream) if entry.seq <= checkpoint.size]
    stated = {
        "format": STREAM,
        "ledger_id": ledger.ledger_id,
        "stream": stream,
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
    }
    proofs = (" ".join(step.hex() for step in inclusion_proof(leaves, entry.seq - 1)) for entry in entries)
    _write(
        target,
        [
            ("ledger.json", [json.dumps(stated, indent=1).encode() + b"\n"]),
            ("entries.jsonl", map(_line, entries)),
            ("proofs.txt", (f"{proof}\n".encode() for proof in proofs)),
            ("checkpoints/000001.txt", [note.encode()]),
            ("verify.py", [Path(verify.__file__).read_bytes()]),
        ],
    )
    return len(entries)


def _refuse_old(target: Path) -> None:
    if target.exists() or not target.parent.is_dir():
        raise ExportRefused(
            f"{target} exists, or its folder does not",
            remedy="give a new name in a folder that exists",
            path=str(target),
        )


def _write(target: Path, parts: Iterable[tuple[str, Iterable[bytes]]]) -> None:
    with ExitStack() as stack:
        if target.suffix == ".zip":
            archive = stack.enter_context(zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED))
            for name, chunks in parts:
                # A fixed date, so that equal ledgers are equal files.
                entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
                entry.compress_type = zipfile.ZIP_DEFLATED
                with archive.open(entry, "w", force_zip64=True) as file:
                    file.writelines(chunks)
        else:
            (target / "checkpoints").mkdir(parents=True)
            for name, chunks in parts:
                with (target / name).open("wb") as out:
                    out.writelines(chunks)


def _parts(
    ledger: Ledger, head: Head, checkpoints: Iterable[str], shown: Shown | None
) -> Iterator[tuple[str, Iterable[bytes]]]:
    stated = {
        "format": WHOLE if shown is None else PARTIAL,
        "ledger_id": ledger.ledger_id,
        "size": head.size,
        "chain": head.chain.hex(),
        "root": head.root.hex(),
    }
    yield "ledger.json", [json.dumps(stated, indent=1).encode() + b"\n"]
    entries = ledger.read(limit=head.size)
    yield "entries.jsonl", (_line(one) if shown is None or shown(one.stream) else _hashes(one) for one in entries)
    for number, note in enumerate(checkpoints, 1):
        yield f"checkpoints/{number:06}.txt", [note.encode()]
    yield "verify.py", [Path(verify.__file__).read_bytes()]


def _hashes(entry: Entry) -> bytes:
    return f'{{"seq":{entry.seq},"leaf":"{entry.leaf.hex()}","chain":"{entry.chain.hex()}"}}\n'.encode()


def _line(entry: Entry) -> bytes:
    # Names hold no character that JSON escapes (entries.py), and the body is canonical JSON on one line.
    return (
        (
            f'{{"seq":{entry.seq},"stream":"{entry.stream}","stream_seq":{entry.stream_seq},"type":"{entry.type}",'
            f'"request_id":"{entry.request_id}","leaf":"{entry.leaf.hex()}","chain":"{entry.chain.hex()}","body":'
        ).encode()
        + entry.body
        + b"}\n"
    )
