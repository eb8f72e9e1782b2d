"""What leaves the system: one module a format. Reads the record and its views, decides nothing."""

from trialwright.exports.items import ITEM_COLUMNS, labelled_items
from trialwright.exports.tabular import FORMATS, FormatUnknown, write_table
from trialwright.exports.views import view_rows

__all__ = [
    "FORMATS",
    "ITEM_COLUMNS",
    "FormatUnknown",
    "labelled_items",
    "view_rows",
    "write_table",
]
