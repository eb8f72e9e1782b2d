"""Verify an exported Trialwright ledger. One file, standard library only, Python 3.8 or later, no network.

    python verify.py EXPORT --checkpoint RECEIPT.txt --key KEY

EXPORT is the folder or zip file of an export, RECEIPT.txt a checkpoint that *you* received and kept, KEY the
signer's public key (name+hash+key, or a file holding it) from a place that you trust. Whoever owns the database
can rewrite it and recompute every hash; only a checkpoint that was out of their reach finds that out.

Exit code 0: no fault, and a checkpoint held outside covers the entries named. 1: a fault, or nothing is proven.
2: the export, a checkpoint or a key cannot be read or trusted. Format: docs/reference/ledger-format.md.
"""

from __future__ import annotations

import argparse
import base64
import json
import re
import sys
import zipfile
from contextlib import ExitStack
from functools import reduce
from hashlib import sha256, sha512
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    Row = tuple[int, str, int, str, str, bytes, bytes, bytes]
    Key = tuple[str, bytes, bytes]
    Valid = Callable[[bytes, bytes, bytes], bool]
    Kept = tuple[list["Note"], tuple[str, ...]]


class Unreadable(Exception):
    """An export, line, checkpoint or key that is not what it should be."""


class Fault(NamedTuple):
    """The first thing that is wrong: the rule that is broken and the first entry that may be bad."""

    kind: str
    seq: int
    message: str


class Report(NamedTuple):
    """What was found. ``covered``: entries proven by a trusted checkpoint held outside; later ones are not.
    ``withheld``: entries of which a partial copy has the hashes only; none can be left out of a stream unnoticed.
    ``stream``, ``shown``: of a copy of one stream with its proofs, which and how many of its entries.
    ``spoiled``: what is wrong with checkpoints that lay beside the record; those held outside count alone."""

    ledger_id: str
    size: int
    root: str
    fault: Fault | None
    covered: int
    covered_by: str
    withheld: int = 0
    stream: str = ""
    shown: int = 0
    spoiled: tuple[str, ...] = ()

    def __str__(self) -> str:
        text = f"{self.ledger_id}: {self.size} entries agree with each other, root {self.root}\n"
        if self.stream:
            text = f"{self.ledger_id}: {self.shown} entries of {self.stream} among {self.size}, root {self.root}\n"
        if self.withheld:
            text += f"Of {self.withheld} of them this copy holds the hashes only.\n"
        if self.fault:
            text += f"FAULT at entry {self.fault.seq} ({self.fault.kind}): {self.fault.message}\n"
        text += "".join(f"Of no use: {what}\n" for what in self.spoiled)
        if not self.covered:
            return text + "Nothing is proven: no trusted checkpoint held outside covers any entry."
        later = f"{self.size - self.covered} later entries unproven" if self.size > self.covered else "none is later"
        return text + f"Covered to {self.covered} by the checkpoint of {self.covered_by}; {later}."


class Note(NamedTuple):
    """A checkpoint (C2SP signed note); ``by``: whose trusted signature it has, empty if nobody's was asked for."""

    label: str
    origin: str
    size: int
    root: bytes
    by: str


def read_note(text: str, label: str, keys: list[Key], valid: Valid, kept: bool = False) -> Note:
    """Read a checkpoint. No signature by a trusted key may be false; one must be there, unless it lay beside the
    record: then it proves nothing."""
    if type(text) is not str:
        raise Unreadable(f"{label} is not a checkpoint")
    head, gap, tail = text.rpartition("\n\n")
    lines = head.split("\n")
    found = [re.match(r"— ([^\s+]+) (\S+)\Z", line) for line in tail[:-1].split("\n")]
    signed = [(line.group(1), unbase64(line.group(2))) for line in found if line]
    whole = gap and tail.endswith("\n") and len(lines) > 2 and all(lines) and len(signed) == len(found)
    root = unbase64(lines[2]) if whole else b""
    if len(root) != 32 or not re.match(r"(0|[1-9][0-9]{0,15})\Z", lines[1]):
        raise Unreadable(f"{label} is not a checkpoint")
    known = {key[:2]: key[2] for key in keys}
    mine = [(name, raw) for name, raw in signed if (name, raw[:4]) in known]
    if not all(valid(known[name, raw[:4]], (head + "\n").encode(), raw[4:]) for name, raw in mine):
        raise Unreadable(f"{label}: a signature is false")
    if not mine and not kept:
        raise Unreadable(f"{label} is signed by no key that was given as trusted")
    return Note(label, lines[0], int(lines[1]), root, "" if kept else mine[0][0])


def read_kept(texts: Iterable[tuple[str, str]], ledger_id: str, keys: list[Key], valid: Valid) -> Kept:
    """Checkpoints that lay beside the record: those that must agree with it, and what is wrong with the others."""
    notes, spoiled = [], []
    for label, text in texts:
        try:
            notes.append(read_note(text, label, keys, valid, kept=True))
            if notes[-1].origin != ledger_id:
                raise Unreadable(f"{label} is of {notes.pop().origin!a}, not of {ledger_id!a}")
        except Unreadable as error:
            spoiled.append(str(error))
    return notes, tuple(spoiled)


def read_key(text: str) -> Key:
    """A public key ``name+hash+key`` as (name, 4-byte hash, 32 bytes)."""
    name, tag, encoded = [*text.strip().split("+", 2), "", ""][:3]
    raw = unbase64(encoded)
    digest = sha256(name.encode() + b"\n" + raw).digest()[:4]
    if len(raw) != 33 or raw[0] != 1 or digest.hex() != tag:
        raise Unreadable(f"{text.strip()[:60]!a} is not a key")
    return name, digest, raw[1:]


def unbase64(text: str) -> bytes:
    """The bytes, or nothing if the text is not base64 in its one canonical spelling."""
    try:
        raw = base64.b64decode(text, validate=True)
    except ValueError:
        return b""
    return raw if base64.b64encode(raw).decode() == text else b""


EMPTY = sha256(b"").digest()
P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P


def ed25519_valid(key: bytes, message: bytes, signature: bytes) -> bool:
    """Whether the signature (R, S) of the message is good: [S]B - [k]A must be R (RFC 8032, section 5.1.7)."""
    base, public, s = point(b"\x58" + b"\x66" * 31), point(key), int.from_bytes(signature[32:], "little")
    if base is None or public is None or len(signature) != 64 or s >= L:
        return False
    k = int.from_bytes(sha512(signature[:32] + key + message).digest(), "little") % L
    x, y, z, t = public
    x, y, z, _ = add(multiply(s, base), multiply(k, (P - x, y, z, P - t)))
    inverse = pow(z, P - 2, P)
    return ((y * inverse % P) | (x * inverse % P & 1) << 255).to_bytes(32, "little") == signature[:32]


def point(encoded: bytes) -> tuple[int, ...] | None:
    """A point in extended coordinates (X, Y, Z, T), or None (RFC 8032, section 5.1.3)."""
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    if len(encoded) != 32 or y >= P or (x * x - square) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


def add(p: tuple[int, ...], q: tuple[int, ...]) -> tuple[int, ...]:
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def multiply(scalar: int, p: tuple[int, ...]) -> tuple[int, ...]:
    total: tuple[int, ...] = (0, 1, 1, 0)
    while scalar:
        total = add(total, p) if scalar & 1 else total
        p, scalar = add(p, p), scalar >> 1
    return total


def unique(members: list[tuple[str, object]]) -> dict[str, object]:
    """A JSON object whose keys differ: a key given twice would be read in two ways."""
    if len(dict(members)) != len(members):
        raise ValueError("a key stands there twice")
    return dict(members)


# Decimals stand as text in a body; ``int`` refuses whatever JSON spells as a float.
decode = json.JSONDecoder(object_pairs_hook=unique, parse_float=int, parse_constant=int).raw_decode


def grow(nodes: list[bytes], size: int, leaf: bytes) -> None:
    """Add a leaf to a Merkle tree of this size, held as the roots of its full subtrees, largest first (RFC 9162)."""
    while size & 1:
        leaf = sha256(b"\x01" + nodes.pop() + leaf).digest()
        size >>= 1
    nodes.append(leaf)


def root_of(nodes: list[bytes]) -> bytes:
    return reduce(lambda right, left: sha256(b"\x01" + left + right).digest(), reversed(nodes)) if nodes else EMPTY


def row_fault(row: Row, place: int, chain: bytes, version: int) -> Fault | None:
    """What is wrong with the row that stands in this place, after this chain value (none: not asked) and version of
    its stream."""
    seq, stream, stream_seq, _, _, body, leaf, stated = row
    if tuple(map(type, row)) != (int, str, int, str, str, bytes, bytes, bytes):
        return Fault("columns", place, "a column holds a value of another kind")
    if seq != place:
        return Fault("sequence", place, f"entry {seq} stands in its place")
    if stream and sha256(b"\x00" + body).digest() != leaf:
        return Fault("leaf", place, "its body is not the one that was hashed")
    if chain and sha256(b"\x02" + chain + leaf).digest() != stated:
        return Fault("chain", place, "it does not follow the entry before it")
    if not stream:
        return None
    if stream_seq != version + 1:
        return Fault("stream", place, f"{stream} goes from {version} to {stream_seq}")
    try:
        text = body.decode()
        document, end = decode(text)
        if end != len(text) or type(document) is not dict:
            raise ValueError
    except (ValueError, RecursionError):
        return Fault("columns", place, "its body is not one JSON object without floats and repeated keys")
    said = tuple(document.get(name) for name in ("stream", "stream_seq", "type", "request_id"))
    agrees = said == row[1:5] and type(said[1]) is int
    return None if agrees else Fault("columns", place, f"its body says {said!a}, the columns {row[1:5]!a}")


def check(ledger_id: str, rows: Iterable[Row], head: tuple[int, bytes, bytes], notes: list[Note]) -> Report:
    """Check rows up to the first fault. ``head``: (size, chain, root) as stated; ``notes``: all checkpoints known."""
    waiting = sorted(notes, key=lambda note: (note.size, note.label), reverse=True)
    for note in waiting:
        if note.origin != ledger_id:
            raise Unreadable(f"{note.label} is of {note.origin!a}, not of {ledger_id!a}")
    nodes: list[bytes] = []
    size, chain, versions = 0, sha256(b"\x03" + ledger_id.encode()).digest(), {"": 0}
    fault, covered, covered_by, withheld, supply = None, 0, "", 0, iter(rows)
    while True:
        while waiting and waiting[-1].size == size and not fault:
            note = waiting.pop()
            if note.root != root_of(nodes):
                fault = Fault("checkpoint", covered + 1, f"up to {note.size} they are not what {note.label} signed")
            elif note.by:
                covered, covered_by = note.size, f"{note.by} ({note.label})"
        row = None if fault else next(supply, None)
        fault = fault if row is None else row_fault(row, size + 1, chain, versions.get(row[1], 0))
        if row is None or fault:
            break
        grow(nodes, size, row[6])
        versions[row[1]], chain, size, withheld = row[2], row[7], size + 1, withheld + (not row[1])
    if not fault and waiting:
        fault = Fault("missing", size + 1, f"it and all up to {waiting[0].size}, which {waiting[0].label} covers")
    if not fault and head != (size, chain, root_of(nodes)):
        fault = Fault("head", size + 1, "the stated head is not that of the entries")
    return Report(ledger_id, size, root_of(nodes).hex(), fault, covered, covered_by, withheld)


def climbed(node: bytes, place: int, last: int, proof: list[bytes]) -> bytes:
    """The root to which a proof leads from the leaf in this 0-based place, or nothing (RFC 9162, section 2.1.3.2)."""
    for sibling in proof:
        if not last:
            return b""
        left = place & 1 or place == last
        node = sha256(b"\x01" + (sibling + node if left else node + sibling)).digest()
        while left and place and not place & 1:
            place, last = place >> 1, last >> 1
        place, last = place >> 1, last >> 1
    return b"" if last else node


def check_stream(
    stated: dict[str, object], rows: Iterable[Row], proofs: list[list[bytes]], notes: list[Note]
) -> Report:
    """Check the entries of one stream, each by its own proof, without the rest of the ledger. That a later entry of
    the stream was left out cannot be seen."""
    ledger_id, stream, size, root = (str(stated[name]) for name in ("ledger_id", "stream", "size", "root"))
    if any(note.origin != ledger_id for note in notes):
        raise Unreadable(f"a checkpoint is not of {ledger_id!a}")
    found, total, fault, before = list(rows), int(size), None, 0
    for number, row in enumerate(found):
        fault = row_fault(row, row[0] if row[0] > before else before + 1, b"", number)
        proof = proofs[number] if number < len(proofs) else []
        if not fault and row[1] != stream:
            fault = Fault("columns", row[0], f"it is not of {stream!a}")
        if not fault and climbed(row[6], row[0] - 1, total - 1, proof).hex() != root:
            fault = Fault("proof", row[0], "its proof does not lead to the stated root")
        if fault:
            break
        before = row[0]
    for note in notes:
        if not fault and note.size == total and note.root.hex() != root:
            fault = Fault("checkpoint", 1, f"the stated root is not what {note.label} signed")
    by = [note for note in notes if note.by and note.size == total and note.root.hex() == root and not fault]
    whose = f"{by[0].by} ({by[0].label})" if by else ""
    return Report(ledger_id, total, root, fault, total if by else 0, whose, 0, stream, len(found))


LINE = re.compile(
    rb'(?s)\{"seq":(\d{1,15}),"stream":"([!#-\[\]-~]+)","stream_seq":(\d{1,15}),"type":"([!#-\[\]-~]+)",'
    rb'"request_id":"([!#-\[\]-~]+)","leaf":"([0-9a-f]{64})","chain":"([0-9a-f]{64})","body":(.+)\}\n\Z'
)


HASHES = re.compile(rb'\{"seq":(\d{1,15}),"leaf":"([0-9a-f]{64})","chain":"([0-9a-f]{64})"\}\n\Z')


def read_rows(lines: Iterable[bytes]) -> Iterator[Row]:
    """The lines of entries.jsonl; a body's exact bytes stand between ``"body":`` and the last brace. Where a copy
    has the hashes of an entry only, its stream is empty, which no stream's name is."""
    for number, line in enumerate(lines, 1):
        found, hashes = LINE.match(line), HASHES.match(line)
        if hashes:
            place, *known = map(bytes.decode, hashes.groups())
            yield int(place), "", 0, "", "", b"", bytes.fromhex(known[0]), bytes.fromhex(known[1])
            continue
        if not found:
            raise Unreadable(f"line {number} of entries.jsonl is not an entry")
        *columns, body = found.groups()
        seq, stream, stream_seq, kind, request_id, leaf, chain = map(bytes.decode, columns)
        yield int(seq), stream, int(stream_seq), kind, request_id, body, bytes.fromhex(leaf), bytes.fromhex(chain)


def verify_export(
    path: Path, receipts: Iterable[tuple[str, str]], keys: Iterable[str], *, valid: Valid = ed25519_valid
) -> Report:
    """Verify an export against checkpoints (label, text) held outside and the texts of keys that are trusted."""
    trusted = list(map(read_key, keys))
    notes = [read_note(text, label, trusted, valid) for label, text in receipts]
    try:
        with ExitStack() as stack:
            archive = stack.enter_context(zipfile.ZipFile(str(path))) if path.is_file() else None
            read = archive.read if archive else lambda name: (path / name).read_bytes()
            names = archive.namelist() if archive else [f"checkpoints/{p.name}" for p in path.glob("checkpoints/*")]
            stated = json.loads(read("ledger.json").decode())
            if stated["format"] not in (1, 2, 3):
                raise ValueError(f"format {stated['format']!a}, this program reads 1 to 3")
            names = [name for name in names if name.startswith("checkpoints/") and name.endswith(".txt")]
            texts = [(name, read(name).decode("utf-8", "replace")) for name in names]
            kept, spoiled = read_kept(texts, str(stated["ledger_id"]), trusted, valid)
            notes += kept
            lines = archive.open("entries.jsonl") if archive else (path / "entries.jsonl").open("rb")
            rows = read_rows(stack.enter_context(lines))
            if stated["format"] == 3:
                proofs = [list(map(bytes.fromhex, line.split())) for line in read("proofs.txt").decode().splitlines()]
                return check_stream(stated, rows, proofs, notes)._replace(spoiled=spoiled)
            head = (stated["size"], bytes.fromhex(stated["chain"]), bytes.fromhex(stated["root"]))
            return check(str(stated["ledger_id"]), rows, head, notes)._replace(spoiled=spoiled)
    except (OSError, ValueError, KeyError, TypeError, RecursionError, zipfile.BadZipFile) as error:
        raise Unreadable(f"{path} is not a readable export: {error}") from error


def main() -> int:
    parser = argparse.ArgumentParser(description="Verify an exported Trialwright ledger.")
    parser.add_argument("export", type=Path, help="folder or zip file")
    parser.add_argument("--checkpoint", type=Path, action="append", default=[], help="a checkpoint that you kept")
    parser.add_argument("--key", action="append", default=[], help="a public key that you trust, or a file with it")
    try:
        options = parser.parse_args()
        keys = [key if "+" in key else Path(key).read_bytes().decode() for key in options.key]
        receipts = [(str(file), file.read_bytes().decode()) for file in options.checkpoint]
        report = verify_export(options.export, receipts, keys)
    except (Unreadable, OSError, ValueError) as error:
        print(f"cannot verify: {error}", file=sys.stderr)
        return 2
    print(report)
    return 1 if report.fault or not report.covered else 0


if __name__ == "__main__":
    sys.exit(main())
