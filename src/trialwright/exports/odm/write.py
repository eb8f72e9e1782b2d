"""A store as ODM files: how everything stands, and everything that happened to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

from trialwright.exports.files.define import xml_text
from trialwright.exports.odm import oids
from trialwright.exports.odm.data_markup import SIGNATURE, DataWriter, Declared, Transactions, Users
from trialwright.exports.odm.markup import NAMESPACES, Markup
from trialwright.exports.odm.metadata import study_of_builds
from trialwright.exports.odm.metadata_markup import study_element
from trialwright.exports.odm.model import VERSIONS, OdmStudy, Version
from trialwright.exports.odm.reading_record import Record
from trialwright.exports.sdtm.record import snapshot_of
from trialwright.foundation.errors import InvalidValue
from trialwright.ledger.port import Store

SNAPSHOT = "snapshot.xml"
TRANSACTIONS = "transactions.xml"
_USER_TYPES = {
    "investigator": "Investigator", "injecting_physician": "Investigator", "cell_laboratory": "Lab",
    "qualified_person": "Lab", "sponsor": "Sponsor", "data_manager": "Sponsor", "medical_monitor": "Sponsor",
    "safety_officer": "Sponsor", "monitor": "Sponsor",
}  # fmt: skip


def write_odm(
    study: str, open_store: Store, folder: Path, version: str, *, closed_store: Store | None = None
) -> dict[str, int]:
    """Write two files: ``snapshot.xml``, metadata and data as they stand; ``transactions.xml``, metadata and every
    entry, change, removal and signature with its audit record. Rows are written as they come, so memory does not
    grow with the trial's values.

    Args:
        study: id of the study.
        open_store: of its open space.
        folder: made when absent.
        version: ``1.3.2`` or ``2.0``.
        closed_store: of its closed space, after the final unblinding: adds the forms of the closed space.

    Returns:
        File → number of item values in it.

    Raises:
        InvalidValue: another version, or a record without an approved build.
        StillBlinded: a closed store before the final unblinding.

    Source: CDISC ODM 1.3.2 (2013) and 2.0 (2023).
    """
    wanted = next((known for known in VERSIONS if known == version), None)
    if wanted is None:
        raise InvalidValue(
            f"ODM {version!r} is not written", remedy=f"use one of {', '.join(VERSIONS)}", given=version
        )
    record = Record(study, open_store, closed_store)
    folder.mkdir(parents=True, exist_ok=True)
    return {
        SNAPSHOT: _File(record, wanted).write(folder / SNAPSHOT, "Snapshot"),
        TRANSACTIONS: _File(record, wanted).write(folder / TRANSACTIONS, "Transactional"),
    }


class _File:
    """Writes one file."""

    def __init__(self, record: Record, version: Version) -> None:
        self._record = record
        self._markup = Markup(version)
        self._study: OdmStudy = study_of_builds(record.builds)
        self._declared = Declared(self._study)
        self._snapshot = snapshot_of(f"{record.study}/open", record.ledger)
        self._count = 0

    def write(self, target: Path, file_type: str) -> int:
        transactional = file_type == "Transactional"
        users: Users = (
            {user: f"USR.{n}" for n, user in enumerate(self._record.users(), start=1)} if transactional else {}
        )
        writer = DataWriter(
            self._markup, self._declared, self._record.sites, users, Transactions() if transactional else None
        )
        data: Callable[[DataWriter], Iterator[tuple[str, Any]]] = self._changes if transactional else self._standing
        with self._markup.etree.xmlfile(str(target), encoding="UTF-8") as file:
            file.write_declaration()
            namespace = {None: NAMESPACES[self._markup.version]}
            with file.element(self._markup.tag("ODM"), self._attributes(file_type), nsmap=namespace):
                if self._markup.two:
                    file.write(self._markup.worded("Description", {"en": self._about()}))
                file.write(study_element(self._markup, self._study))
                file.write(self._people(users))
                self._clinical_data(file, data(writer))
        return self._count

    def _attributes(self, file_type: str) -> dict[str, str]:
        snapshot = self._snapshot
        described = {} if self._markup.two else {"Description": xml_text(self._about())}
        return described | {
            "FileType": file_type,
            "FileOID": f"{self._record.study}.{file_type.lower()}.{snapshot.size}",
            "CreationDateTime": snapshot.at,
            "AsOfDateTime": snapshot.at,
            "ODMVersion": self._markup.version,
            "Originator": "Trialwright",
            "SourceSystem": "Trialwright",
            "SourceSystemVersion": snapshot.software,
        }

    def _about(self) -> str:
        """The mode stands on every output; the root joins the file to the record."""
        snapshot = self._snapshot
        return f"{self._record.mode}; ledger {snapshot.ledger}, {snapshot.size} entries, root {snapshot.root}"

    # --- people and places ----------------------------------------------------------------------------------

    def _people(self, users: Users) -> Any:
        add = self._markup.add
        root = self._markup.make("AdminData", StudyOID=oids.study(self._study.id))
        organisations = {name: f"ORG.{n}" for n, name in enumerate(dict.fromkeys(u[2] for u in users), start=1)}
        for (actor, role, organisation), oid in users.items():
            kind = _USER_TYPES.get(role, "Other")
            if self._markup.two:
                user = add(root, "User", OID=oid, UserType=kind, OrganizationOID=organisations[organisation])
                add(user, "UserName", text=actor)
                add(user, "FullName", text=f"{actor} ({role})")
            else:
                user = add(root, "User", OID=oid, UserType=kind)
                add(user, "LoginName", text=actor)
                add(user, "DisplayName", text=f"{actor} ({role})")
                add(user, "Organization", text=organisation)
        if self._markup.two:
            for name, oid in organisations.items():
                add(root, "Organization", OID=oid, Name=name or "-", Type="Other")
        self._locations(root)
        if users:
            self._signature(root)
        return root

    def _locations(self, root: Any) -> None:
        add = self._markup.add
        sites = list(self._record.builds.values())[-1].study.sites
        effective = sorted(self._record.effective(), key=lambda one: one.site or "")
        for site, found in groupby(effective, key=lambda one: one.site):
            name = sites[site].name if site in sites else site or "Central"
            kind = "Site" if site else "Other"
            location = add(
                root, "Location", OID=oids.location(site), Name=name, LocationType=None if self._markup.two else kind,
                Role=kind if self._markup.two else None,
            )  # fmt: skip
            for one in found:
                add(
                    location, "MetaDataVersionRef", StudyOID=oids.study(self._study.id),
                    MetaDataVersionOID=oids.version(one.build), EffectiveDate=one.since,
                )  # fmt: skip

    def _signature(self, root: Any) -> None:
        signature = self._markup.add(root, "SignatureDef", OID=SIGNATURE, Methodology="Electronic")
        for name, text in (
            ("Meaning", "The data of this form are as I state them."),
            ("LegalReason", "An electronic signature that stands for a handwritten one."),
        ):
            self._markup.add(signature, name, text=text)

    # --- data -----------------------------------------------------------------------------------------------

    def _clinical_data(self, file: Any, subjects: Iterator[tuple[str, Any]]) -> None:
        tag, study = self._markup.tag("ClinicalData"), oids.study(self._study.id)
        for build, found in groupby(subjects, key=lambda one: one[0]):
            with file.element(tag, {"StudyOID": study, "MetaDataVersionOID": oids.version(build)}):
                for _, element in found:
                    file.write(element)

    def _standing(self, writer: DataWriter) -> Iterator[tuple[str, Any]]:
        for build in self._record.builds:
            for participant in self._record.sites:
                acts = [act for act in self._record.standing(participant) if act.build == build]
                if acts:
                    self._count += sum(len(act.entries) for act in acts)
                    yield build, writer.subject(participant, acts)

    def _changes(self, writer: DataWriter) -> Iterator[tuple[str, Any]]:
        for act in self._record.acts():
            self._count += len(act.entries)
            yield act.build, writer.subject(act.place.participant, [act])
