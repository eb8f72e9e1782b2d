"""Finding a study among those installed: list, search, and what else to consider."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from trialwright.build import Build
from trialwright.finder.errors import SearchNotUnderstood
from trialwright.finder.languages import Said, say
from trialwright.finder.markup import plain
from trialwright.finder.page import OLDEST, ages, takes_age
from trialwright.finder.status import OnRecord, Status, status_of
from trialwright.protocol.study import PublicStatus, StudyIdentity

PHASES = ("I", "I/II", "II", "II/III", "III", "IV")
_LONGEST_SEARCH = 200
_SEARCHED = frozenset({"about", "treatment", "disease"})
_JOINABLE = (PublicStatus.RECRUITING, PublicStatus.PLANNED)
_LETTERS = str.maketrans({"ø": "o", "æ": "ae", "œ": "oe", "đ": "d", "ð": "d", "þ": "th", "ł": "l", "ı": "i"})
"""Letters that no decomposition takes apart, for those whose keyboard has none."""
_EMPTY_WORDS = frozenset({"and", "or", "of", "the", "a", "in", "for", "og", "eller", "av", "i", "ved", "der", "und"})


@dataclass(frozen=True)
class Listing:
    """One study in the list.

    Args:
        build: the build in force.
        record: of the running trial, or None.
    """

    build: Build
    record: OnRecord | None = None

    @property
    def identity(self) -> StudyIdentity:
        """As declared."""
        return self.build.study.identity

    @property
    def study(self) -> str:
        """Its id."""
        return self.identity.id

    @cached_property
    def status(self) -> Status:
        """Whether people can join."""
        text = next(iter(self.build.study.public.values()))
        return status_of(self.build, self.record, text.head.updated)

    @property
    def countries(self) -> tuple[str, ...]:
        """Countries with a site, each once, in the order of the sites."""
        return tuple(dict.fromkeys(site.country for site in self.identity.sites))

    @cached_property
    def ages(self) -> tuple[int | None, int | None]:
        """Youngest and oldest, None where there is no bound."""
        return ages(self.build)

    @property
    def is_demonstration(self) -> bool:
        """Nobody can really join."""
        return self.record is None or not self.record.is_production

    def condition(self, language: str) -> Said:
        """The disease."""
        return say(self.identity.condition, language, self.identity.languages[0])

    def title(self, language: str) -> Said:
        """The page's own title, as patients read it."""
        titles = {code: text.head.title for code, text in self.build.study.public.items()}
        return say(titles, language, self.identity.languages[0])

    @cached_property
    def words(self) -> frozenset[str]:
        """Every word a search may find, in all languages."""
        study, identity = self.build.study, self.identity
        texts = [identity.id, identity.acronym, identity.sponsor.name, *(i.id for i in identity.identifiers)]
        for text in (identity.title, identity.condition, identity.objective, *(arm.label for arm in identity.arms)):
            texts += text.values()
        texts += [f"{site.name} {site.town}" for site in identity.sites]
        for public in study.public.values():
            texts.append(public.head.title)
            texts += [plain(section.text) for section in public.sections if section.id in _SEARCHED]
        return frozenset(word for text in texts for word in words_of(text))


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """What a reader looks for; what is empty or None does not matter.

    Args:
        text: free words; all must occur, each at the beginning of a word, letters' case and accents aside.
        condition: words of the disease; all must occur in its name.
        country: ISO 3166 alpha-2.
        status: recruitment status.
        phase: as declared.
        age: in whole years; studies whose criteria refuse it are left out.

    Raises:
        SearchNotUnderstood: an age outside 0 to 120, an unknown phase, or a longer text than anybody means.
    """

    text: str = ""
    condition: str = ""
    country: str = ""
    status: PublicStatus | None = None
    phase: str = ""
    age: int | None = None

    def __post_init__(self) -> None:
        if self.age is not None and not 0 <= self.age <= OLDEST:
            raise SearchNotUnderstood(f"{self.age} is no age", remedy=f"give whole years from 0 to {OLDEST}")
        if self.phase and self.phase not in PHASES:
            raise SearchNotUnderstood(f"{self.phase[:20]!r} is no phase", remedy=f"one of {', '.join(PHASES)}")
        if max(len(self.text), len(self.condition)) > _LONGEST_SEARCH:
            raise SearchNotUnderstood("the search is too long", remedy=f"give at most {_LONGEST_SEARCH} letters")


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Another study to consider; ``named`` by the study itself, otherwise it is about the same disease."""

    listing: Listing
    named: bool


class Catalogue:
    """The studies installed, those that people can join first.

    Args:
        listings: what may be shown; a real trial that is not opened is left out.
    """

    def __init__(self, listings: Iterable[Listing]) -> None:
        shown = (listing for listing in listings if listing.record is None or listing.record.may_be_shown)
        self.listings = tuple(sorted(shown, key=_order))

    def find(self, study: str) -> Listing | None:
        """The study of that id, or None."""
        return next((listing for listing in self.listings if listing.study == study), None)

    def search(self, wanted: Search) -> tuple[Listing, ...]:
        """The studies that fit, in the order of the catalogue."""
        return tuple(listing for listing in self.listings if _fits(listing, wanted))

    def others(self, study: str) -> tuple[Suggestion, ...]:
        """What to consider beside a study: those it names, then joinable ones about the same disease."""
        own = self.find(study)
        if own is None:
            return ()
        named = [found for name in own.identity.other_trials if (found := self.find(name)) is not None]
        near = [
            found
            for found in self.listings
            if found not in (own, *named) and found.status.code in _JOINABLE and _same_disease(own, found)
        ]
        return tuple(Suggestion(found, named=True) for found in named) + tuple(
            Suggestion(found, named=False) for found in near
        )

    def conditions(self, language: str) -> tuple[str, ...]:
        """Every disease there is, in words of the language where the study has them."""
        return tuple(sorted({listing.condition(language).text for listing in self.listings}, key=str.casefold))

    def countries(self) -> tuple[str, ...]:
        """Every country with a site."""
        return tuple(sorted({country for listing in self.listings for country in listing.countries}))

    def phases(self) -> tuple[str, ...]:
        """Every phase there is, in order."""
        found = {listing.identity.phase for listing in self.listings}
        return tuple(phase for phase in PHASES if phase in found)

    def statuses(self) -> tuple[PublicStatus, ...]:
        """Every status there is, in the order of a study's life."""
        found = {listing.status.code for listing in self.listings}
        return tuple(status for status in PublicStatus if status in found)


def words_of(text: str) -> tuple[str, ...]:
    """Words without case and accents: ``Tromsø`` → ``tromso``, ``Ålesund`` → ``alesund``."""
    folded = unicodedata.normalize("NFKD", text.casefold()).translate(_LETTERS)
    return tuple(re.findall(r"\w+", "".join(c for c in folded if not unicodedata.combining(c))))


def _order(listing: Listing) -> tuple[bool, str]:
    return listing.status.code not in _JOINABLE, listing.identity.acronym.casefold()


def _fits(listing: Listing, wanted: Search) -> bool:
    if wanted.country and wanted.country not in listing.countries:
        return False
    if wanted.status is not None and listing.status.code is not wanted.status:
        return False
    if wanted.phase and listing.identity.phase != wanted.phase:
        return False
    if wanted.age is not None and not takes_age(listing.build, wanted.age):
        return False
    disease = frozenset(word for text in listing.identity.condition.values() for word in words_of(text))
    return _all_in(wanted.condition, disease) and _all_in(wanted.text, listing.words)


def _all_in(text: str, there: frozenset[str]) -> bool:
    wanted = [word for word in words_of(text) if word not in _EMPTY_WORDS]
    return all(any(word.startswith(beginning) for word in there) for beginning in wanted)


def _same_disease(one: Listing, other: Listing) -> bool:
    """One name holds all words of the other, in some language: multiple sclerosis, progressive multiple sclerosis."""
    for language, text in one.identity.condition.items():
        first = set(words_of(text)) - _EMPTY_WORDS
        second = set(words_of(other.identity.condition.get(language, ""))) - _EMPTY_WORDS
        if second and (first <= second or second <= first):
            return True
    return False
