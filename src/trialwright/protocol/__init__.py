"""What a study is: declarations, one module per file of the folder, and the loader that reads them.

Nothing here decides anything about a running trial; the build checks and compiles what is declared here.
"""

from trialwright.protocol.canonical import NotAStudy, canonical_files, canonical_source, study_from_canonical
from trialwright.protocol.findings import Finding, FindingsError, Severity, StudyFolderError, did_you_mean, in_order
from trialwright.protocol.folder import Study
from trialwright.protocol.loader import LoadedStudy, load_study
from trialwright.protocol.positions import KeyPath, Place, Position, Positions
from trialwright.protocol.review import Review, questions_digest, review_of, review_of_questions, text_digest
from trialwright.protocol.roles import Role
from trialwright.protocol.schemas import SCHEMA_KINDS, json_schema

__all__ = [
    "SCHEMA_KINDS",
    "Finding",
    "FindingsError",
    "KeyPath",
    "LoadedStudy",
    "NotAStudy",
    "Place",
    "Position",
    "Positions",
    "Review",
    "Role",
    "Severity",
    "Study",
    "StudyFolderError",
    "canonical_files",
    "canonical_source",
    "did_you_mean",
    "in_order",
    "json_schema",
    "load_study",
    "questions_digest",
    "review_of",
    "review_of_questions",
    "study_from_canonical",
    "text_digest",
]
