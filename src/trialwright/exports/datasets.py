"""A package of data sets in memory: rows with everything that their metadata file says about them.

SDTM and ADaM make it; the writers of Define-XML, Dataset-JSON, XPT and Parquet read it. It knows no trial.
Words follow Define-XML 2.1 (CDISC, 2021), section 4, so that a writer translates nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from trialwright.foundation.errors import InvalidValue

DataType = Literal[
    "text", "integer", "float", "date", "datetime", "partialDate", "partialDatetime", "durationDatetime"
]
"""``DataType`` of Define-XML that these packages use. All but integer and float are text in the rows."""

OriginKind = Literal["Collected", "Derived", "Assigned", "Protocol", "Predecessor", "Not Available"]
OriginSource = Literal["Investigator", "Sponsor", "Subject", "Vendor"]

Value = str | int | float | None
"""One cell; None is a missing value, the empty string is not used."""

Record = tuple[Value, ...]
"""One row, in the order of the data set's variables."""


@dataclass(frozen=True)
class Term:
    """One value of a code list.

    Args:
        value: as it stands in the rows.
        decode: in words.
        code: NCI code (``C16576``), or None for a term that is not CDISC's.
        extended: added by the study to an extensible list of CDISC.
    """

    value: str
    decode: str
    code: str | None = None
    extended: bool = False


@dataclass(frozen=True)
class CodeList:
    """The values a variable may have.

    Args:
        id: unique in the package; letters, digits, underscores and points.
        name: in words.
        terms: in order.
        code: NCI code of CDISC's list (``C66731``), or None for the study's own.
        standard: id of the :class:`Standard` it comes from, or None for the study's own.
        data_type: of its values.
    """

    id: str
    name: str
    terms: tuple[Term, ...]
    code: str | None = None
    standard: str | None = None
    data_type: DataType = "text"


@dataclass(frozen=True)
class Dictionary:
    """An external dictionary whose terms a variable holds (MedDRA, WHODrug), named but not copied."""

    id: str
    name: str
    dictionary: str
    version: str
    data_type: DataType = "text"


@dataclass(frozen=True)
class Method:
    """How derived values are computed; ``expression`` is formal text in the study's language, where there is one."""

    id: str
    name: str
    text: str
    kind: Literal["Computation", "Imputation"] = "Computation"
    expression: str | None = None


@dataclass(frozen=True)
class Source:
    """Where on the case report form a value is collected: a form and one of its items, as the study names them."""

    form: str
    item: str


@dataclass(frozen=True)
class Origin:
    """Where values come from.

    Args:
        kind: as Define-XML says.
        source: who; Define-XML asks for it where values are collected, derived or assigned.
        collected_at: forms and items, for ``Collected``.
        predecessor: ``DM.SEX``, for ``Predecessor``.
    """

    kind: OriginKind
    source: OriginSource | None = None
    collected_at: tuple[Source, ...] = ()
    predecessor: str | None = None


@dataclass(frozen=True)
class Condition:
    """One comparison of a where clause: the variable has one of the values (``IN``) or none of them (``NOTIN``)."""

    variable: str
    values: tuple[str, ...]
    comparator: Literal["IN", "NOTIN", "EQ", "NE"] = "EQ"


@dataclass(frozen=True)
class ValueLevel:
    """What holds of a variable in the rows where every condition holds, for example for one test."""

    where: tuple[Condition, ...]
    label: str
    type: DataType
    length: int | None = None
    significant_digits: int | None = None
    codelist: str | None = None
    origin: Origin | None = None
    method: str | None = None
    mandatory: bool = False
    comment: str | None = None


@dataclass(frozen=True)
class Variable:
    """One column.

    Args:
        name: at most 8 characters, ``[A-Z][A-Z0-9]*``.
        label: at most 40 characters.
        type: of its values.
        length: of the longest value in bytes (text) or digits (numbers); None for dates.
        origin: where the values come from; None where ``values`` say it for each test.
        role: in SDTM: Identifier, Topic, Timing, Record Qualifier … ; None in ADaM.
        key: its place in the sort key, from 1; None when it is not in the key.
        codelist: id of a :class:`CodeList` or :class:`Dictionary`.
        method: id of a :class:`Method`, for derived values.
        mandatory: no row lacks it.
        significant_digits: decimals after the point, for ``float``.
        display: SAS display format (``DATE9.``), or None.
        values: value-level metadata.
        comment: anything a reviewer should know.
    """

    name: str
    label: str
    type: DataType = "text"
    length: int | None = None
    origin: Origin | None = None
    role: str | None = None
    key: int | None = None
    codelist: str | None = None
    method: str | None = None
    mandatory: bool = False
    significant_digits: int | None = None
    display: str | None = None
    values: tuple[ValueLevel, ...] = ()
    comment: str | None = None

    @property
    def is_number(self) -> bool:
        """Whether cells are numbers; else they are text."""
        return self.type in ("integer", "float")


@dataclass(frozen=True)
class Dataset:
    """One data set.

    Args:
        name: ``DM``, ``SUPPAE``, ``ADSL``.
        label: at most 40 characters.
        class_: as Define-XML 2.1 lists them: ``SPECIAL PURPOSE``, ``FINDINGS``, ``EVENTS``, ``INTERVENTIONS``,
            ``TRIAL DESIGN``, ``RELATIONSHIP``, ``SUBJECT LEVEL ANALYSIS DATASET``, ``BASIC DATA STRUCTURE`` …
        structure: ``One record per participant per visit per test``.
        variables: in the order of the columns.
        rows: can be iterated again and again, and knows its length; a list, or something that reads from disk.
        domain: two-letter domain of a split or supplemental data set; the name where absent.
        subclass: Define-XML sub-class (``TIME-TO-EVENT``), or None.
        repeating: several rows a participant.
        reference: holds no participants (trial design).
        comment: anything a reviewer should know.
    """

    name: str
    label: str
    class_: str
    structure: str
    variables: tuple[Variable, ...]
    rows: Collection[Record]
    domain: str | None = None
    subclass: str | None = None
    repeating: bool = True
    reference: bool = False
    comment: str | None = None

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the variables, in order."""
        return tuple(variable.name for variable in self.variables)

    @property
    def keys(self) -> tuple[str, ...]:
        """The sort key: names of the variables that have a ``key``, by it."""
        keyed = [(variable.key, variable.name) for variable in self.variables if variable.key is not None]
        return tuple(name for _, name in sorted(keyed))

    def variable(self, name: str) -> Variable:
        """The variable of this name.

        Raises:
            InvalidValue: there is none.
        """
        for variable in self.variables:
            if variable.name == name:
                return variable
        raise InvalidValue(
            f"{self.name} has no variable {name}", remedy=f"use one of {', '.join(self.names)}", given=name
        )

    def dicts(self) -> Iterator[dict[str, Value]]:
        """The rows as variable → value."""
        names = self.names
        for row in self.rows:
            yield dict(zip(names, row, strict=True))

    def column(self, name: str) -> list[Value]:
        """All values of one variable.

        Raises:
            InvalidValue: there is no such variable.
        """
        place = self.variables.index(self.variable(name))
        return [row[place] for row in self.rows]


@dataclass(frozen=True)
class Standard:
    """A published standard that the package follows.

    Args:
        id: unique in the package.
        name: ``SDTMIG``, ``ADaMIG`` or ``CDISC/NCI``.
        kind: implementation guide or controlled terminology.
        version: ``3.4``, ``1.3``, ``2024-03-29``.
        publishing_set: ``SDTM`` or ``ADaM``, for terminology.
    """

    id: str
    name: str
    kind: Literal["IG", "CT"]
    version: str
    publishing_set: str | None = None


@dataclass(frozen=True)
class Package:
    """All data sets of one export with what they share.

    Args:
        study: STUDYID, which also makes the OIDs.
        title: of the study, in the export's language.
        protocol: its name or number.
        purpose: ``Tabulation`` (SDTM) or ``Analysis`` (ADaM).
        standards: the first is the implementation guide.
        datasets: in the order of the metadata file.
        codelists: every one that a variable or value level names.
        dictionaries: external ones.
        methods: every one that a variable or value level names.
        created: ISO 8601 date and time in UTC of the *data* (the last entry read), so that a package is a function
            of the record.
        source: the record it was read from: ledger, number of entries and root hash; build; software version.
        watermark: words that every file must carry where the allocation in it is not the real one, else None.
        language: of labels and texts.
    """

    study: str
    title: str
    protocol: str
    purpose: Literal["Tabulation", "Analysis"]
    standards: tuple[Standard, ...]
    datasets: tuple[Dataset, ...]
    codelists: tuple[CodeList, ...]
    methods: tuple[Method, ...]
    created: str
    dictionaries: tuple[Dictionary, ...] = ()
    source: Mapping[str, str] = field(default_factory=dict)
    watermark: str | None = None
    language: str = "en"

    def dataset(self, name: str) -> Dataset:
        """The data set of this name.

        Raises:
            InvalidValue: there is none.
        """
        for dataset in self.datasets:
            if dataset.name == name:
                return dataset
        known = ", ".join(dataset.name for dataset in self.datasets)
        raise InvalidValue(f"the package has no data set {name}", remedy=f"use one of {known}", given=name)

    def codelist(self, id_: str) -> CodeList | Dictionary:
        """The code list or dictionary with this id.

        Raises:
            InvalidValue: there is none.
        """
        lists: tuple[CodeList | Dictionary, ...] = (*self.codelists, *self.dictionaries)
        for found in lists:
            if found.id == id_:
                return found
        raise InvalidValue(f"the package has no code list {id_}", remedy="add it to the package", given=id_)

    def method(self, id_: str) -> Method:
        """The method with this id.

        Raises:
            InvalidValue: there is none.
        """
        for method in self.methods:
            if method.id == id_:
                return method
        raise InvalidValue(f"the package has no method {id_}", remedy="add it to the package", given=id_)
