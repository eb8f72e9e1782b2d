"""The nodes that ruamel.yaml composes, from libyaml's events: ten times as fast.

For texts without surprises. What libyaml refuses, and whatever the two might read differently (tabs, anchors, tags,
directives, several documents), is left to ruamel.yaml, which alone says what is wrong with a text.
"""

from __future__ import annotations

import re

import yaml
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode
from ruamel.yaml.tag import Tag

_SURPRISING = re.compile(
    r"[^\n -~\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe]"  # tabs, other ends of lines, what cannot be printed
    r"|^(?:%|---|\.\.\.| +$)"  # directives, ends of documents, lines of spaces in a block of text
    r"|[|>][-+0-9]*#",  # a comment that begins in the head of a block of text
    re.MULTILINE,
)
"""Where versions of YAML, or their readers, differ."""

_PLAIN = Tag(suffix="tag:yaml.org,2002:plain")  # not resolved: that is its reader's work
_TEXT = Tag(suffix="tag:yaml.org,2002:str")
_LIST = Tag(suffix="tag:yaml.org,2002:seq")
_MAP = Tag(suffix="tag:yaml.org,2002:map")
_DIFFERENT = re.compile(r"[-+]?\.[0-9]|<<\Z|\Z")
"""Unquoted: a number to one version of YAML and a text to another; a key that merges; nothing (its place differs)."""


def compose(text: str, deepest: int) -> Node | None:
    """The root node of a text, or None where ruamel.yaml must read it.

    Args:
        text: one document.
        deepest: how deeply lists and maps may be nested before the text is left to ruamel.yaml.
    """
    loader = getattr(yaml, "CSafeLoader", None)  # absent where PyYAML was built without libyaml
    if loader is None or _SURPRISING.search(text):
        return None
    reader = loader(text)
    try:
        return _root(reader, deepest)
    except yaml.YAMLError:
        return None
    finally:
        reader.dispose()


def _root(reader: yaml.CSafeLoader, deepest: int) -> Node | None:
    reader.get_event()  # the stream begins
    reader.get_event()  # and the document, unless there is none
    root: Node | None = None
    above: list[Node] = []  # lists and maps that are not at their end
    keys: list[Node | None] = []  # beside each: the key that waits for its value
    while True:
        event = reader.get_event()
        node: Node | None
        if isinstance(event, yaml.ScalarEvent):
            node = _scalar(event)
        elif isinstance(event, yaml.CollectionStartEvent):
            kind, tag = (MappingNode, _MAP) if isinstance(event, yaml.MappingStartEvent) else (SequenceNode, _LIST)
            node = kind(tag, [], event.start_mark, None)
        elif isinstance(event, yaml.CollectionEndEvent):
            above.pop().end_mark = event.end_mark
            keys.pop()
            continue
        elif isinstance(event, yaml.DocumentEndEvent):
            return root if isinstance(reader.get_event(), yaml.StreamEndEvent) else None
        else:
            return None  # an alias, or nothing at all
        if node is None or event.anchor is not None or event.tag is not None or len(above) > deepest:
            return None
        if not above:
            root = node
        elif isinstance(above[-1], SequenceNode):
            above[-1].value.append(node)
        elif (key := keys[-1]) is None:
            if not isinstance(node, ScalarNode):
                return None
            keys[-1] = node
        else:
            above[-1].value.append((key, node))
            keys[-1] = None
        if not isinstance(node, ScalarNode):
            above.append(node)
            keys.append(None)


def _scalar(event: yaml.ScalarEvent) -> ScalarNode | None:
    style = event.style or None
    if style is None and _DIFFERENT.match(event.value):
        return None
    return ScalarNode(_TEXT if style else _PLAIN, event.value, event.start_mark, event.end_mark, style=style)
