"""Elements of both versions of ODM: what they have in common, and where they differ in spelling."""

from __future__ import annotations

from typing import Any

from trialwright.exports.files.define import xml_text
from trialwright.exports.odm.model import Version, Words

NAMESPACES: dict[Version, str] = {
    "1.3.2": "http://www.cdisc.org/ns/odm/v1.3",
    "2.0": "http://www.cdisc.org/ns/odm/v2.0",
}
CONTEXT = "Trialwright"
"""Context of aliases and formal expressions that are ours."""
_XML = "http://www.w3.org/XML/1998/namespace"


class Markup:
    """Makes elements of one version.

    Attributes:
        two: it is version 2.0.
    """

    def __init__(self, version: Version) -> None:
        from lxml import etree

        self.etree: Any = etree
        self.version = version
        self.two = version == "2.0"
        self._namespace = NAMESPACES[version]

    def tag(self, name: str) -> str:
        """The qualified name of an element."""
        return f"{{{self._namespace}}}{name}"

    def make(self, name: str, **attributes: object) -> Any:
        """An element without parent; attributes that are None are left out."""
        return self._filled(self.etree.Element(self.tag(name), nsmap={None: self._namespace}), attributes)

    def add(self, parent: Any, name: str, *, text: str | None = None, **attributes: object) -> Any:
        """An element inside another."""
        element = self._filled(self.etree.SubElement(parent, self.tag(name)), attributes)
        if text is not None:
            element.text = xml_text(text)
        return element

    def words(self, parent: Any, name: str, words: Words | None) -> None:
        """Inside another, an element with one translated text for each language; nothing where there are no words."""
        if words:
            parent.append(self.worded(name, words))

    def worded(self, name: str, words: Words) -> Any:
        """An element with one translated text for each language."""
        element = self.make(name)
        for language, text in words.items():
            translated = self.add(element, "TranslatedText", text=text, Type="text/plain" if self.two else None)
            translated.set(f"{{{_XML}}}lang", language)
        return element

    def alias(self, parent: Any, context: str, name: str | None) -> None:
        """What ODM has no attribute for."""
        if name:
            self.add(parent, "Alias", Context=context, Name=name)

    def expression(self, parent: Any, context: str, text: str) -> None:
        """A formal expression; 2.0 keeps its text in an element of its own."""
        if self.two:
            self.add(self.add(parent, "FormalExpression", Context=context), "Code", text=text)
        else:
            self.add(parent, "FormalExpression", text=text, Context=context)

    @staticmethod
    def _filled(element: Any, attributes: dict[str, object]) -> Any:
        for name, value in attributes.items():
            if value is not None:
                element.set(name, xml_text(str(value)))
        return element


def yes_no(value: bool) -> str:
    """As ODM writes it."""
    return "Yes" if value else "No"
