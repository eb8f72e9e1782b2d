"""A small synthetic dictionary of adverse-event terms, for demonstrations and tests.

Real studies code with their own copy of a licensed dictionary; nothing here is taken from one. Codes begin with
``T``, so that they cannot be mistaken for anything else.
"""

from __future__ import annotations

from typing import NamedTuple

SYNTHETIC_VERSION = "1"


class Coded(NamedTuple):
    """A dictionary term."""

    code: str
    term: str
    body_system: str


_BODY_SYSTEMS: dict[str, tuple[str, ...]] = {
    "nervous system": (
        "headache", "dizziness", "paraesthesia", "tremor", "seizure", "arachnoiditis", "multiple sclerosis relapse",
        "muscle spasticity", "gait disturbance",
    ),
    "infections": (
        "meningitis", "encephalitis", "spinal abscess", "urinary tract infection", "nasopharyngitis", "pneumonia",
        "influenza", "herpes zoster", "sepsis",
    ),
    "musculoskeletal": ("low back pain", "neck pain", "pain in leg", "muscle weakness", "bone pain", "joint pain"),
    "general": (
        "fever", "fatigue", "pain", "chills", "puncture site pain", "aspiration site pain", "aspiration site bruise",
        "injection site reaction",
    ),
    "investigations": ("spinal mri change", "liver enzymes increased", "white cell count increased"),
    "gastrointestinal": ("nausea", "vomiting", "diarrhoea", "constipation"),
    "psychiatric": ("depression", "anxiety", "insomnia"),
    "skin": ("rash", "itching"),
    "blood": ("anaemia", "thrombocytopenia", "leucopenia"),
    "heart and vessels": ("hypertension", "deep vein thrombosis", "palpitations"),
    "injury": ("fall", "fracture", "post-puncture headache"),
    "neoplasms": ("neoplasm", "ectopic tissue"),
    "immune system": ("hypersensitivity", "anaphylaxis"),
}  # fmt: skip


def _numbered() -> dict[str, Coded]:
    terms = sorted((term, system) for system, names in _BODY_SYSTEMS.items() for term in names)
    return {term: Coded(f"T{n:04d}", term, system) for n, (term, system) in enumerate(terms, start=1)}


SYNTHETIC: dict[str, Coded] = _numbered()
"""Term in lower case → its code."""


def body_system_number(name: str) -> int | None:
    """Number of a body system of the synthetic dictionary, from 1; None for a system of another dictionary."""
    systems = list(_BODY_SYSTEMS)
    return systems.index(name) + 1 if name in systems else None
