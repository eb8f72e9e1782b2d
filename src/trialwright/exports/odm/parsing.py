"""XML of strangers: no document type, no entities, no network; elements are freed as they have been read."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

from trialwright.exports.odm.errors import OdmUnreadable
from trialwright.exports.odm.markup import NAMESPACES
from trialwright.exports.odm.model import Version

_OF_NAMESPACE = {namespace: version for version, namespace in NAMESPACES.items()}


def elements(path: Path) -> Generator[tuple[str, str, Any], None, None]:
    """``start`` or ``end``, local name and element, in the order of the file. The caller frees what it has read.

    Raises:
        OdmUnreadable: not there, not well-formed, not ODM, or with a document type.
    """
    from lxml import etree

    try:
        with path.open("rb") as file:
            # Long texts are legal; entities are not resolved, so their size is bounded by the file's.
            parser = etree.iterparse(
                file, events=("start", "end"), resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True
            )
            for number, (event, element) in enumerate(parser):
                if number == 0:
                    _check_root(path, element)
                if isinstance(element.tag, str):
                    yield event, local(element), element
    except (etree.XMLSyntaxError, OSError) as error:
        raise OdmUnreadable(f"{path} cannot be read: {error}", remedy="give a well-formed ODM file") from error


def _check_root(path: Path, root: Any) -> None:
    if root.getroottree().docinfo.doctype:
        raise OdmUnreadable(f"{path} declares a document type", remedy="remove it; ODM has none")
    if local(root) != "ODM" or version_of(root) is None:
        raise OdmUnreadable(f"{path} is no ODM 1.3 or 2.0: its root is {root.tag!r}", remedy="give an ODM file")


def local(element: Any) -> str:
    """The name of an element without its namespace."""
    return str(element.tag).rpartition("}")[2]


def version_of(element: Any) -> Version | None:
    """The version whose namespace an element is in."""
    return _OF_NAMESPACE.get(str(element.tag)[1:].partition("}")[0])


def free(element: Any) -> None:
    """Let go of an element that was read, and of those before it."""
    parent = element.getparent()
    element.clear()
    if parent is not None:
        while element.getprevious() is not None:
            del parent[0]


def child(element: Any, name: str) -> Any:
    """The first child of this name, or None."""
    return next(children(element, name), None)


def children(element: Any, name: str) -> Iterator[Any]:
    """All children of this name."""
    return (one for one in element if isinstance(one.tag, str) and local(one) == name)


def text_of(element: Any, name: str) -> str | None:
    """The text of a child; None where it is not there."""
    found = child(element, name)
    return None if found is None else (found.text or "")
