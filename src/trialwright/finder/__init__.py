"""The public side of a study as data: its page, who can join, where, and what else to consider.

Reads builds and the open views, decides nothing. Screens draw what is here; nothing here knows HTML.
"""

from trialwright.finder.catalogue import PHASES, Catalogue, Listing, Search, Suggestion
from trialwright.finder.errors import AnswerNotUnderstood, SearchNotUnderstood
from trialwright.finder.journey import Journey, PlannedVisit, journey
from trialwright.finder.languages import Said, chosen, languages_to_try, say
from trialwright.finder.markup import Block, Span, blocks, plain, spans
from trialwright.finder.page import (
    SECTIONS,
    Chance,
    PageArm,
    PageSection,
    PageSite,
    PublicPage,
    ages,
    public_page,
    takes_age,
)
from trialwright.finder.places import TOWNS, Town, distance_km, town
from trialwright.finder.screener import (
    NOT_KNOWN,
    Choice,
    CriterionLine,
    PreScreener,
    Question,
    Screening,
    Verdict,
    Waits,
)
from trialwright.finder.status import OnRecord, Status, on_record, status_of
from trialwright.finder.structured import sitemap, structured_data

__all__ = [
    "NOT_KNOWN",
    "PHASES",
    "SECTIONS",
    "TOWNS",
    "AnswerNotUnderstood",
    "Block",
    "Catalogue",
    "Chance",
    "Choice",
    "CriterionLine",
    "Journey",
    "Listing",
    "OnRecord",
    "PageArm",
    "PageSection",
    "PageSite",
    "PlannedVisit",
    "PreScreener",
    "PublicPage",
    "Question",
    "Said",
    "Screening",
    "Search",
    "SearchNotUnderstood",
    "Span",
    "Status",
    "Suggestion",
    "Town",
    "Verdict",
    "Waits",
    "ages",
    "blocks",
    "chosen",
    "distance_km",
    "journey",
    "languages_to_try",
    "on_record",
    "plain",
    "public_page",
    "say",
    "sitemap",
    "spans",
    "status_of",
    "structured_data",
    "takes_age",
    "town",
]
