"""What never leaves with an export: the contents of items that a study marks ``identifying``."""

from __future__ import annotations

from collections.abc import Mapping

from trialwright.build import Build


def identifies(builds: Mapping[str, Build], form: str, item: str) -> bool:
    """Whether any build calls the item identifying.

    Args:
        builds: builds by id, every one on record: what one called identifying stays so.
        form: id.
        item: id, with ``.row`` in a repeating group.
    """
    name = item.partition(".")[0]
    return any(
        build.forms[form].items[name].item.privacy == "identifying"
        for build in builds.values()
        if form in build.forms and name in build.forms[form].items
    )
