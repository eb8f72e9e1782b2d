"""Rules about texts that people read: what blinded people must not see, consent, public page."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date

from trialwright.build.rules.context import StudyContext
from trialwright.build.rules.names import unknown
from trialwright.build.rules.rule import Problem, rule
from trialwright.protocol import Review, questions_digest, review_of, review_of_questions, text_digest
from trialwright.protocol.findings import Severity
from trialwright.protocol.positions import KeyPath

_SCOPES = ("treatment", "visits", "data_use", "samples")


@rule(
    "TW130",
    "Texts that blinded people see name no arm",
    why="A label, visit name, query or product name with a word of one arm tells the arm, or is false for the other. "
    "Words are the arms' labels and their revealing_words.",
    bad="# forms/injection.yaml\ntitle: {en: Injection of stem cells}",
    good="# forms/injection.yaml\ntitle: {en: Study injection}",
)
def arms_unnamed(context: StudyContext) -> Iterator[Problem]:
    """Schedule, open forms, code lists, gates and neutral names, agents and clocks of safety."""
    if context.study.identity.blinding.kind == "open":
        return
    words = _revealing(context)
    for file, path, text in _seen_by_blinded(context):
        for language, wording in text.items():
            found = words.search(wording) if words else None
            if found:
                message = f"the text says {found.group(0)!r}, which tells an arm"
                yield Problem(file, (*path, language), message, "write it so that it is true for every arm")


def _revealing(context: StudyContext) -> re.Pattern[str] | None:
    words = {word for arm in context.study.identity.arms for word in arm.revealing_words}
    words |= {label for arm in context.study.identity.arms for label in arm.label.values()}
    words = {word.strip() for word in words if word.strip()}
    if not words:
        return None
    # A word may go on (placebos, saltvannet) but not begin inside another (NaCl in "canaclone").
    longest_first = sorted(words, key=lambda word: (-len(word), word))
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})", re.IGNORECASE)


def _seen_by_blinded(context: StudyContext) -> Iterator[tuple[str, KeyPath, dict[str, str]]]:
    closed = {f"forms/{form.id}.yaml" for form in context.study.forms.values() if form.space == "closed"}
    for file, path, text in context.texts:
        if (
            file in ("schedule.yaml", "safety.yaml")
            or file.startswith("terminology/")
            or (file.startswith("forms/") and file not in closed)
            or (file == "custody.yaml" and path[0] in ("product", "slots", "gates", "failed_manufacture"))
            or (file == "study.yaml" and path[0] in ("epochs", "periods"))
        ):
            yield file, path, text


@rule(
    "TW131",
    "Consent and public page exist in every language of the study",
    why="People can only agree to what they can read.",
    bad="languages: [en, nb]   # and only consent/en.md",
    good="consent/en.md\nconsent/nb.md\npublic/en.md\npublic/nb.md",
)
def texts_exist(context: StudyContext) -> Iterator[Problem]:
    """Files against languages."""
    for language in context.study.identity.languages:
        for folder in ("consent", "public"):
            if language not in getattr(context.study, folder):
                message = f"{folder}/{language}.md is missing"
                yield Problem("study.yaml", ("languages",), message, f"write it, or remove {language}")


@rule(
    "TW132",
    "Consent says from what a participant may withdraw",
    why="Somebody who stops treatment may still come to visits; without scopes, withdrawal is all or nothing.",
    bad="withdrawal_scopes: []",
    good="withdrawal_scopes: [treatment, visits, data_use, samples]",
)
def scopes_given(context: StudyContext) -> Iterator[Problem]:
    """At least treatment and visits; known scopes only."""
    for language, consent in context.study.consent.items():
        path, given = ("head", "withdrawal_scopes"), consent.head.withdrawal_scopes
        for n, scope in enumerate(given):
            if scope not in _SCOPES:
                yield unknown(f"consent/{language}.md", (*path, n), "scope", scope, _SCOPES)
        lacking = [scope for scope in ("treatment", "visits") if scope not in given]
        if lacking:
            message = f"nobody can withdraw from {' and '.join(lacking)} alone"
            yield Problem(f"consent/{language}.md", path, message, f"add {', '.join(lacking)}")


@rule(
    "TW133",
    "A teach-back question has its right answer",
    why="A question whose right answer cannot be chosen teaches that every answer is wrong.",
    bad="answers: {a: Always, b: By chance}\nright: c",
    good="answers: {a: Always, b: By chance}\nright: b",
)
def answers_right(context: StudyContext) -> Iterator[Problem]:
    """``right`` among ``answers``."""
    for language, consent in context.study.consent.items():
        for n, question in enumerate(consent.head.teach_back):
            if question.right not in question.answers:
                path = ("head", "teach_back", n, "right")
                yield unknown(f"consent/{language}.md", path, "answer", question.right, question.answers)


@rule(
    "TW134",
    "Translations have the same parts",
    why="A section, question or version that one language lacks means that people agreed to different things.",
    bad="# consent/en.md: ## Risks {#risks}, and no such section in consent/nb.md",
    good="# both: {#risks}",
)
def translations_parallel(context: StudyContext) -> Iterator[Problem]:
    """Sections, teach-back questions, versions and scopes against the reference language."""
    reference = context.study.identity.languages[0]
    for folder in ("consent", "public"):
        texts = getattr(context.study, folder)
        if reference not in texts:
            continue
        wanted = [section.id for section in texts[reference].sections]
        for language, text in texts.items():
            given = [section.id for section in text.sections]
            if given != wanted:
                odd = next((s for s in [*wanted, *given] if (s in wanted) != (s in given)), "their order")
                message = f"the sections differ from {folder}/{reference}.md: {odd}"
                yield Problem(
                    f"{folder}/{language}.md", ("sections",), message, "give both the same sections in order"
                )
    yield from _consents_parallel(context, reference)


def _consents_parallel(context: StudyContext, reference: str) -> Iterator[Problem]:
    consent = context.study.consent
    if reference not in consent:
        return
    head = consent[reference].head
    for language, text in consent.items():
        file = f"consent/{language}.md"
        if text.head.version != head.version:
            message = f"version {text.head.version}, but consent/{reference}.md is version {head.version}"
            yield Problem(file, ("head", "version"), message, "translate the same version")
        if [q.id for q in text.head.teach_back] != [q.id for q in head.teach_back]:
            message = f"the teach-back questions differ from consent/{reference}.md"
            yield Problem(file, ("head", "teach_back"), message, "ask the same questions in the same order")
        if set(text.head.withdrawal_scopes) != set(head.withdrawal_scopes) and "treatment" in head.withdrawal_scopes:
            known = set(text.head.withdrawal_scopes) <= set(_SCOPES) >= set(head.withdrawal_scopes)
            if known and {"treatment", "visits"} <= set(text.head.withdrawal_scopes):
                message = f"the withdrawal scopes differ from consent/{reference}.md"
                yield Problem(file, ("head", "withdrawal_scopes"), message, "offer the same scopes")


@rule(
    "TW135",
    "The public page says when it was last changed",
    why="The page that started this software still said Recruiting years after recruitment had ended.",
    bad="updated: last spring",
    good="updated: 2025-04-01",
)
def updated_dated(context: StudyContext) -> Iterator[Problem]:
    """An ISO date."""
    for language, public in context.study.public.items():
        try:
            date.fromisoformat(public.head.updated)
        except ValueError:
            message = f"{public.head.updated[:30]!r} is not a date"
            yield Problem(f"public/{language}.md", ("head", "updated"), message, "write it as 2025-04-01")


@rule(
    "TW136",
    "Texts are text",
    why="Labels are shown as text, never as HTML; markup would be shown as written, or hide something.",
    bad="label: {en: <b>Weight</b>}",
    good="label: {en: Weight}",
)
def texts_plain(context: StudyContext) -> Iterator[Problem]:
    """Tags in any text of the study."""
    tag = re.compile(r"</?[A-Za-z][^<>]*>")
    for file, path, text in context.texts:
        for language, wording in text.items():
            if tag.search(wording):
                yield Problem(file, (*path, language), f"the text holds markup: {wording[:40]!r}", "write plain text")


@rule(
    "TW137",
    "A review names the text that was reviewed",
    why="Reviewed says nothing about words that were changed afterwards, so the status counts only for the "
    "text whose hash stands beside it.",
    bad="status: approved   # and the text was changed since",
    good="status: approved\nreviewed_text: 5d1f…   # as `trialwright check` tells it",
    severity=Severity.WARNING,
)
def reviews_bound(context: StudyContext) -> Iterator[Problem]:
    """The hash in the head against the text."""
    for folder in ("consent", "public"):
        for language, text in getattr(context.study, folder).items():
            if review_of(text) is Review.CHANGED:
                message = f"the text is not the one that was {text.head.status}"
                remedy = f"status: draft; after the review, reviewed_text: {text_digest(text)}"
                yield Problem(f"{folder}/{language}.md", ("head", "status"), message, remedy)
    for language, text in context.study.public.items():
        digest = questions_digest(context.study.eligibility, context.study.terminology, language)
        # Whoever reviews the page is told of the questions, too; before, nobody needs the hash.
        asked = text.head.reviewed_questions is not None or text.head.status != "draft"
        if asked and review_of_questions(text, digest) is not Review.REVIEWED:
            changed = text.head.reviewed_questions is not None
            message = (
                "the questions and criteria are not those that were reviewed" if changed
                else "the questions and criteria in this language were not reviewed"
            )  # fmt: skip
            remedy = f"after the review of eligibility.yaml, reviewed_questions: {digest}"
            yield Problem(f"public/{language}.md", ("head", "reviewed_questions"), message, remedy)
