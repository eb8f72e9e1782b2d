"""Define-XML 2.1 (CDISC, 2021): what every data set, variable, value and code list of a package means."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from trialwright.exports.datasets import (
    CodeList,
    Condition,
    Dataset,
    Dictionary,
    Method,
    Origin,
    Package,
    Standard,
    Term,
    ValueLevel,
    Variable,
)
from trialwright.exports.files.writing import group_oid, item_oid, study_oid, version_oid

VERSION = "2.1.0"
ODM = "http://www.cdisc.org/ns/odm/v1.3"
DEF = "http://www.cdisc.org/ns/def/v2.1"
XLINK = "http://www.w3.org/1999/xlink"
XML = "http://www.w3.org/XML/1998/namespace"
_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
SUFFIXES = {"xpt": "xpt", "dataset-json": "json", "ndjson": "ndjson", "parquet": "parquet"}


def write_define(package: Package, target: Path, *, format_: str = "xpt", annotated_form: str | None = None) -> None:
    """Write the metadata file of a package.

    Args:
        package: its data sets and everything about them.
        target: usually ``define.xml`` beside the data.
        format_: of the data files, whose names the file gives.
        annotated_form: name of the file with the annotated case-report forms, if it lies beside.
    """
    from lxml import etree

    tree = _Writer(etree, package, SUFFIXES[format_], annotated_form).document()
    target.write_bytes(etree.tostring(tree, xml_declaration=True, encoding="UTF-8", pretty_print=True))


class _Writer:
    """Writes one document; gathers what the schema wants behind: comments and value lists."""

    def __init__(self, etree: Any, package: Package, suffix: str, annotated_form: str | None) -> None:
        self._etree = etree
        self._package = package
        self._suffix = suffix
        self._annotated_form = annotated_form
        self._comments: dict[str, str] = {}

    def document(self) -> Any:
        package = self._package
        root = self._etree.Element(_odm("ODM"), nsmap={None: ODM, "def": DEF, "xlink": XLINK})
        _set(
            root,
            FileOID=f"{version_oid(package)}.{package.created}",
            FileType="Snapshot",
            CreationDateTime=package.created,
            AsOfDateTime=package.created,
            ODMVersion="1.3.2",
            Originator="Trialwright",
            SourceSystem="Trialwright",
            SourceSystemVersion=package.source.get("software"),
        )
        _put(root, _def("Context"), "Submission")
        study = self._add(root, _odm("Study"), OID=study_oid(package))
        about = self._add(study, _odm("GlobalVariables"))
        self._add(about, _odm("StudyName"), text=package.study)
        self._add(about, _odm("StudyDescription"), text=package.title)
        self._add(about, _odm("ProtocolName"), text=package.protocol)
        version = self._add(
            study, _odm("MetaDataVersion"), OID=version_oid(package), Name=f"{package.study} {package.purpose}",
            Description=self._described(),
        )  # fmt: skip
        _put(version, _def("DefineVersion"), VERSION)
        self._fill(version)
        return root

    def _described(self) -> str:
        source = "; ".join(f"{name} {value}" for name, value in self._package.source.items())
        return "; ".join(filter(None, (self._package.watermark, source))) or self._package.title

    def _fill(self, version: Any) -> None:
        package = self._package
        standards = self._add(version, _def("Standards"))
        for standard in package.standards:
            self._standard(standards, standard)
        if self._annotated_form:
            form = self._add(version, _def("AnnotatedCRF"))
            self._add(form, _def("DocumentRef"), leafID="LF.acrf")
        levels = [(d, v) for d in package.datasets for v in d.variables if v.values]
        for dataset, variable in levels:
            self._value_list(version, dataset, variable)
        for dataset, variable in levels:
            for number, level in enumerate(variable.values, start=1):
                self._where(version, dataset, variable, number, level)
        for dataset in package.datasets:
            self._group(version, dataset)
        for dataset in package.datasets:
            for variable in dataset.variables:
                self._item(version, dataset, variable)
        for codelist in package.codelists:
            self._codelist(version, codelist)
        for dictionary in package.dictionaries:
            self._dictionary(version, dictionary)
        for method in package.methods:
            self._method(version, method)
        for oid, text in self._comments.items():
            comment = self._add(version, _def("CommentDef"), OID=oid)
            self._describe(comment, text)
        if self._annotated_form:
            leaf = self._add(version, _def("leaf"), ID="LF.acrf", href=self._annotated_form)
            self._add(leaf, _def("title"), text="Annotated case-report forms")

    # --- parts ----------------------------------------------------------------------------------------------

    def _standard(self, parent: Any, standard: Standard) -> None:
        self._add(
            parent, _def("Standard"), OID=f"STD.{standard.id}", Name=standard.name, Type=standard.kind,
            PublishingSet=standard.publishing_set, Version=standard.version, Status="Final",
        )  # fmt: skip

    def _group(self, parent: Any, dataset: Dataset) -> None:
        group = self._add(
            parent, _odm("ItemGroupDef"), OID=group_oid(dataset), Name=dataset.name,
            Repeating="Yes" if dataset.repeating else "No", IsReferenceData="Yes" if dataset.reference else "No",
            SASDatasetName=dataset.name, Domain=dataset.domain or dataset.name, Purpose=self._package.purpose,
        )  # fmt: skip
        _put(group, _def("Structure"), dataset.structure)
        _put(group, _def("ArchiveLocationID"), f"LF.{dataset.name}")
        _put(group, _def("StandardOID"), f"STD.{self._package.standards[0].id}")
        self._comment(group, f"COM.{dataset.name}", dataset.comment)
        self._describe(group, dataset.label)
        keys = dataset.keys
        for order, variable in enumerate(dataset.variables, start=1):
            self._add(
                group, _odm("ItemRef"), ItemOID=item_oid(dataset, variable.name), OrderNumber=order,
                Mandatory="Yes" if variable.mandatory else "No",
                KeySequence=keys.index(variable.name) + 1 if variable.name in keys else None,
                Role=variable.role, MethodOID=f"MT.{variable.method}" if variable.method else None,
            )  # fmt: skip
        class_ = self._add(group, _def("Class"), Name=dataset.class_)
        if dataset.subclass:
            self._add(class_, _def("SubClass"), Name=dataset.subclass)
        leaf = self._add(group, _def("leaf"), ID=f"LF.{dataset.name}", href=f"{dataset.name.lower()}.{self._suffix}")
        self._add(leaf, _def("title"), text=f"{dataset.name.lower()}.{self._suffix}")

    def _item(self, parent: Any, dataset: Dataset, variable: Variable) -> None:
        oid = item_oid(dataset, variable.name)
        item = self._item_def(parent, oid, variable.name, variable.type, variable.length, variable.significant_digits)
        if variable.display:
            _put(item, _def("DisplayFormat"), variable.display)
        self._comment(item, f"COM.{dataset.name}.{variable.name}", variable.comment)
        self._describe(item, variable.label)
        if variable.codelist:
            self._add(item, _odm("CodeListRef"), CodeListOID=f"CL.{variable.codelist}")
        # Where each test has its own origin, the variable as a whole has none (section 5.3.11.3).
        if variable.origin is not None and not any(level.origin for level in variable.values):
            self._origin(item, variable.origin)
        if variable.values:
            self._add(item, _def("ValueListRef"), ValueListOID=f"VL.{dataset.name}.{variable.name}")
        for number, level in enumerate(variable.values, start=1):
            self._level_item(parent, dataset, variable, number, level)

    def _level_item(self, parent: Any, dataset: Dataset, variable: Variable, number: int, level: ValueLevel) -> None:
        oid = _level_oid("IT", dataset, variable, number)
        item = self._item_def(parent, oid, variable.name, level.type, level.length, level.significant_digits)
        self._comment(item, _level_oid("COM", dataset, variable, number), level.comment)
        self._describe(item, level.label)
        if level.codelist:
            self._add(item, _odm("CodeListRef"), CodeListOID=f"CL.{level.codelist}")
        if level.origin is not None:
            self._origin(item, level.origin)

    def _item_def(
        self, parent: Any, oid: str, name: str, type_: str, length: int | None, digits: int | None
    ) -> Any:  # fmt: skip
        sized = type_ in ("text", "integer", "float")
        return self._add(
            parent, _odm("ItemDef"), OID=oid, Name=name, DataType=type_, Length=(length or 1) if sized else None,
            SignificantDigits=digits if type_ == "float" else None, SASFieldName=name,
        )  # fmt: skip

    def _value_list(self, parent: Any, dataset: Dataset, variable: Variable) -> None:
        values = self._add(parent, _def("ValueListDef"), OID=f"VL.{dataset.name}.{variable.name}")
        for number, level in enumerate(variable.values, start=1):
            reference = self._add(
                values, _odm("ItemRef"), ItemOID=_level_oid("IT", dataset, variable, number), OrderNumber=number,
                Mandatory="Yes" if level.mandatory else "No",
                MethodOID=f"MT.{level.method}" if level.method else None,
            )  # fmt: skip
            self._add(reference, _def("WhereClauseRef"), WhereClauseOID=_level_oid("WC", dataset, variable, number))

    def _where(self, parent: Any, dataset: Dataset, variable: Variable, number: int, level: ValueLevel) -> None:
        clause = self._add(parent, _def("WhereClauseDef"), OID=_level_oid("WC", dataset, variable, number))
        for condition in level.where:
            self._condition(clause, dataset, condition)

    def _condition(self, parent: Any, dataset: Dataset, condition: Condition) -> None:
        check = self._add(parent, _odm("RangeCheck"), SoftHard="Soft", Comparator=condition.comparator)
        _put(check, _def("ItemOID"), item_oid(dataset, condition.variable))
        for value in condition.values:
            self._add(check, _odm("CheckValue"), text=value)

    def _codelist(self, parent: Any, codelist: CodeList) -> None:
        element = self._add(
            parent, _odm("CodeList"), OID=f"CL.{codelist.id}", Name=codelist.name, DataType=codelist.data_type
        )
        if codelist.standard:
            _put(element, _def("StandardOID"), f"STD.{codelist.standard}")
        else:
            _put(element, _def("IsNonStandard"), "Yes")
        for order, term in enumerate(codelist.terms, start=1):
            self._term(element, term, order, standard=codelist.standard is not None)
        self._alias(element, codelist.code)

    def _term(self, parent: Any, term: Term, order: int, *, standard: bool) -> None:
        item = self._add(parent, _odm("CodeListItem"), CodedValue=term.value, OrderNumber=order)
        if standard and term.extended:
            _put(item, _def("ExtendedValue"), "Yes")
        decode = self._add(item, _odm("Decode"))
        self._translated(decode, term.decode)
        self._alias(item, term.code)

    def _dictionary(self, parent: Any, dictionary: Dictionary) -> None:
        element = self._add(
            parent, _odm("CodeList"), OID=f"CL.{dictionary.id}", Name=dictionary.name, DataType=dictionary.data_type
        )
        self._add(element, _odm("ExternalCodeList"), Dictionary=dictionary.dictionary, Version=dictionary.version)

    def _method(self, parent: Any, method: Method) -> None:
        element = self._add(parent, _odm("MethodDef"), OID=f"MT.{method.id}", Name=method.name, Type=method.kind)
        self._describe(element, method.text)
        if method.expression:
            self._add(element, _odm("FormalExpression"), text=method.expression, Context="Trialwright")

    def _origin(self, parent: Any, origin: Origin) -> None:
        element = self._add(parent, _def("Origin"), Type=origin.kind, Source=origin.source)
        if origin.predecessor or origin.collected_at:
            places = ", ".join(f"{source.form}.{source.item}" for source in origin.collected_at)
            self._describe(element, origin.predecessor or places)
        if origin.collected_at and self._annotated_form:
            reference = self._add(element, _def("DocumentRef"), leafID="LF.acrf")
            for source in origin.collected_at:
                self._add(
                    reference, _def("PDFPageRef"), Type="NamedDestination", PageRefs=f"{source.form}.{source.item}"
                )

    # --- small parts ----------------------------------------------------------------------------------------

    def _comment(self, element: Any, oid: str, text: str | None) -> None:
        if text:
            self._comments[oid] = text
            _put(element, _def("CommentOID"), oid)

    def _describe(self, parent: Any, text: str) -> None:
        self._translated(self._add(parent, _odm("Description")), text)

    def _translated(self, parent: Any, text: str) -> None:
        element = self._add(parent, _odm("TranslatedText"), text=text)
        _put(element, f"{{{XML}}}lang", self._package.language)

    def _alias(self, parent: Any, code: str | None) -> None:
        if code:
            self._add(parent, _odm("Alias"), Name=code, Context="nci:ExtCodeID")

    def _add(self, parent: Any, tag: str, *, text: str | None = None, **attributes: Any) -> Any:
        element = self._etree.SubElement(parent, tag)
        href = attributes.pop("href", None)
        _set(element, **attributes)
        if href is not None:
            _put(element, f"{{{XLINK}}}href", href)
        if text is not None:
            element.text = xml_text(text)
        return element


def xml_text(text: str) -> str:
    """The text without the control characters that XML 1.0 cannot hold, each as U+FFFD."""
    return _NOT_XML.sub("\ufffd", text)


def _level_oid(prefix: str, dataset: Dataset, variable: Variable, number: int) -> str:
    return f"{prefix}.{dataset.name}.{variable.name}.{number}"


def _set(element: Any, **attributes: Any) -> None:
    for name, value in attributes.items():
        if value is not None:
            _put(element, name, str(value))


def _put(element: Any, name: str, value: str) -> None:
    element.set(name, xml_text(value))


def _odm(name: str) -> str:
    return f"{{{ODM}}}{name}"


def _def(name: str) -> str:
    return f"{{{DEF}}}{name}"
