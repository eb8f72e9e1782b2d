"""One canonical text per study: what a build's identity is computed over, and what a build is reloaded from.

Only what the author wrote is in it: keys left to their defaults are absent, so that a later version of the
software with new optional keys reads an old study to the same bytes. Comments, formatting, the order of keys,
quotes around numbers and line ends mean nothing. Order means something in lists only.
"""

from __future__ import annotations

import json

from pydantic import ValidationError

from trialwright.foundation.errors import RecordError
from trialwright.protocol.declared import Declared
from trialwright.protocol.folder import Study
from trialwright.protocol.loader import FILES, FOLDERS

_ATTRIBUTES = {name: attribute for name, (attribute, _) in FILES.items()}


class NotAStudy(RecordError):
    """Bytes that claim to be a study's canonical source and are not."""

    code = "study.not_canonical"


def canonical_files(study: Study) -> dict[str, bytes]:
    """File of the folder → its canonical bytes (JSON, keys sorted, UTF-8)."""
    found: dict[str, Declared] = {}
    for name, attribute in _ATTRIBUTES.items():
        declared = getattr(study, attribute)
        if declared is not None:
            found[name] = declared
    for folder, (suffix, _) in FOLDERS.items():
        for key, declared in getattr(study, folder).items():
            found[f"{folder}/{key}{suffix}"] = declared
    return {name: _bytes(_written(found[name])) for name in sorted(found)}


def canonical_source(study: Study) -> bytes:
    """The whole study as one canonical JSON document: ``{file: content}``."""
    files = canonical_files(study)
    return _bytes({name: json.loads(content) for name, content in files.items()})


def study_from_canonical(source: bytes) -> Study:
    """The study of a canonical source.

    Raises:
        NotAStudy: the bytes are not what :func:`canonical_source` writes for some study.
    """
    try:
        files = json.loads(source)
        parts: dict[str, object] = {
            attribute: model.model_validate_json(json.dumps(files[name]), strict=True) if name in files else None
            for name, (attribute, model) in FILES.items()
        }
        for folder, (suffix, model) in FOLDERS.items():
            parts[folder] = {
                name.removeprefix(f"{folder}/").removesuffix(suffix): model.model_validate_json(
                    json.dumps(content), strict=True
                )
                for name, content in files.items()
                if name.startswith(f"{folder}/")
            }
        absent = [name for name, (attribute, _) in FILES.items() if attribute != "custody" and name not in files]
        study = Study.model_construct(**parts)  # type: ignore[arg-type]  # parts by name, each validated above
        if absent or canonical_source(study) != source:
            raise ValueError("not canonical")
    except (ValueError, TypeError, AttributeError, ValidationError, RecursionError) as error:
        raise NotAStudy(
            "the bytes are not the canonical source of a study",
            remedy="take them from `trialwright build`, unchanged",
        ) from error
    return study


def _written(declared: Declared) -> object:
    return declared.model_dump(mode="json", by_alias=True, exclude_unset=True)


def _bytes(data: object) -> bytes:
    return json.dumps(data, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
