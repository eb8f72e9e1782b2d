"""Both sign, on the version approved for the site; withdrawal by scope; consent again after an amendment."""

from __future__ import annotations

import pytest

from trialwright.build.compile import compiled
from trialwright.foundation.ports import OPERATING_SYSTEM, DerivedEntropy
from trialwright.protocol.roles import Role
from trialwright.trial.closure.state import Deviations
from trialwright.trial.command import Actor, NotFound
from trialwright.trial.consent.commands import (
    AlreadyConsented,
    AnswerUnknown,
    CountersignConsent,
    IdentityCheckUnknown,
    NothingToCountersign,
    RecordPaperConsent,
    RefuseConsent,
    ScopeUnknown,
    SignConsent,
    TextNotApproved,
    TextNotInForce,
    WithdrawConsent,
)
from trialwright.trial.consent.events import ConsentGiven, ConsentSignedByParticipant, ConsentWithdrawn
from trialwright.trial.consent.gate import ConsentNotInForce, consent_gap
from trialwright.trial.consent.state import Consent
from trialwright.trial.consent.text import text_hash
from trialwright.trial.consent.views import CONSENT_LOG
from trialwright.trial.enrolment.commands import AssessCriteria, EndParticipation, FailScreening
from trialwright.trial.enrolment.gate import ParticipationOver
from trialwright.trial.event import Space
from trialwright.trial.setup.commands import (
    ActivateAmendment,
    ApproveBuild,
    CreateStudy,
    OpenStudy,
    RecordStudyApproval,
)
from trialwright.trial.setup.events import Approval

APPROVALS = (Approval(kind="ethics", reference="13/2025", date="2025-02-20"),)


def consent_of(world, participant):
    return world.trial.state().of(Consent, participant)


def gap(world, participant, **how):
    return consent_gap(world.trial.state(), participant, **how)


def sign(world, participant, **changes):
    """The command and how the participant signs it, for refusals."""
    text = world.build_of(participant).study.consent["en"]
    given = {"version": text.head.version, "language": "en", "text": text_hash(text), "teach_back": {}}
    return SignConsent(participant=participant, **{**given, **changes})


def me(participant):
    return Actor(participant, Role.PARTICIPANT, "public")


def activate(world, build, *, site="01", reconsent):
    world.give(ApproveBuild(build=build.id, evidence="e", summary="s"), "sponsor")
    move = ActivateAmendment(site=site, build=build.id, approvals=APPROVALS, reconsent=reconsent)
    world.give(move, "sponsor")


def test_consent_is_in_force_when_both_have_signed(trial_world):
    participant = trial_world.screened()
    assert gap(trial_world, participant) == "no consent was given"
    signed = trial_world.sign_consent(participant, teach_back={"leave": "sometimes"}).event(
        ConsentSignedByParticipant
    )
    assert (signed.method, signed.teach_back) == ("electronic", {"leave": "sometimes"})  # wrong, and no bar
    assert gap(trial_world, participant) == "the interviewer has not countersigned"
    given = trial_world.countersign(participant).event(ConsentGiven)
    assert (given.interviewer, given.version, given.text) == ("nurse-01", "1.0", signed.text)
    assert gap(trial_world, participant, treatment=True) is None


def test_the_text_that_is_signed_is_the_text_of_the_build(trial_world):
    participant = trial_world.screened()
    good = text_hash(trial_world.build.study.consent["en"])
    norwegian = text_hash(trial_world.build.study.consent["nb"])
    for changes, shown in (
        ({"version": "0.9"}, good),
        ({"language": "fi"}, good),
        ({"text": norwegian}, norwegian),
        ({"text": norwegian}, good),
        ({}, norwegian),
    ):
        trial_world.refuses(TextNotInForce, sign(trial_world, participant, **changes), me(participant), shown=shown)
    trial_world.give(sign(trial_world, participant), me(participant), shown=good)


def test_every_word_of_the_text_counts_in_its_hash(trial_world):
    text = trial_world.build.study.consent["en"]
    section = text.sections[0]
    changed = text.model_copy(update={"sections": (section.model_copy(update={"text": section.text + "."}),)})
    headed = text.model_copy(update={"head": text.head.model_copy(update={"version": "1.1"})})
    assert len({text_hash(t) for t in (text, changed, headed, trial_world.build.study.consent["nb"])}) == 4


def test_answers_that_the_text_does_not_have_are_refused(trial_world):
    participant = trial_world.screened()
    shown = text_hash(trial_world.build.study.consent["en"])
    for answers in ({"leave": "perhaps"}, {"other": "always"}):
        command = sign(trial_world, participant, teach_back=answers)
        trial_world.refuses(AnswerUnknown, command, me(participant), shown=shown)


def test_only_people_with_a_code_who_take_part_consent(trial_world):
    shown = text_hash(trial_world.build.study.consent["en"])
    trial_world.refuses(
        NotFound,
        RecordPaperConsent(participant="NO-01-099", version="1.0", language="en", teach_back={}),
        "nurse",
    )
    failed = trial_world.screened()
    trial_world.give(FailScreening(participant=failed), "nurse", reason="moved away")
    trial_world.refuses(ParticipationOver, sign(trial_world, failed), me(failed), shown=shown)
    consented = trial_world.consented()
    trial_world.refuses(AlreadyConsented, sign(trial_world, consented), me(consented), shown=shown)


@pytest.mark.parametrize("head", [{"status": "draft"}, {"status": "approved", "reviewed_text": "0" * 64}])
def test_a_production_study_asks_with_an_approved_text_only(trial_worlds, small_study, head):
    text = small_study.consent["en"]
    draft = text.model_copy(update={"head": text.head.model_copy(update=head)})
    build = compiled(small_study.model_copy(update={"consent": {**small_study.consent, "en": draft}}))
    for mode, passes in (("rehearsal", True), ("production", False)):
        entropy = DerivedEntropy(1)
        entropy.origin = OPERATING_SYSTEM
        world = trial_worlds(build, opened=False, mode=mode)
        world.trial = world.twin(entropy=entropy)
        world.give(CreateStudy(build=build.id), "sponsor")
        world.give(ApproveBuild(build=build.id, evidence="e" * 64, summary="tested"), "sponsor")
        ethics = Approval(kind="ethics", reference="1/2025", date="2025-01-15")
        world.give(RecordStudyApproval(approval=ethics), "sponsor")
        world.give(OpenStudy(), "sponsor")
        world.open_site("01")
        participant = world.screened()
        if passes:
            world.consented(participant)
        else:
            shown = text_hash(build.study.consent["en"])
            world.refuses(TextNotApproved, sign(world, participant), me(participant), shown=shown)


def test_a_paper_is_recorded_with_its_time_and_countersigned(trial_world):
    participant = trial_world.screened()
    command = RecordPaperConsent(participant=participant, version="1.0", language="nb", teach_back={})
    receipt = trial_world.give(command, "nurse", observed_at="2025-03-02T14:00:00+01:00")
    assert receipt.facts[0].happened == "2025-03-02T14:00:00+01:00"
    assert receipt.event(ConsentSignedByParticipant).flags == ()
    trial_world.countersign(participant, language="nb")
    assert gap(trial_world, participant) is None


def test_a_paper_of_an_older_version_is_a_fact_that_opens_a_deviation_and_gives_no_consent(
    trial_worlds, small_build, amended_build
):
    world = trial_worlds(small_build, amended_build)
    participant = world.screened()
    activate(world, amended_build, reconsent=False)
    command = RecordPaperConsent(participant=participant, version="1.0", language="en", teach_back={})
    receipt = world.give(command, "nurse")
    assert receipt.event(ConsentSignedByParticipant).flags == ("other_version",)
    assert world.trial.state().of(Deviations, participant).waiting() == ("consent.other_version",)
    shown = text_hash(small_build.study.consent["en"])
    countersign = CountersignConsent(participant=participant, identity_check="photo_document")
    world.refuses(TextNotInForce, countersign, "nurse", shown=shown)
    world.consented(participant)
    assert consent_of(world, participant).version == "2.0"


def test_a_paper_that_no_build_has_cannot_be_cited(trial_world):
    participant = trial_world.screened()
    for version, language in (("7", "en"), ("1.0", "fi")):
        command = RecordPaperConsent(participant=participant, version=version, language=language, teach_back={})
        trial_world.refuses(TextNotInForce, command, "nurse")


def test_countersigning_needs_the_participants_signature_and_a_known_identity_check(trial_world):
    participant = trial_world.screened()
    shown = text_hash(trial_world.build.study.consent["en"])
    countersign = CountersignConsent(participant=participant, identity_check="photo_document")
    trial_world.refuses(NothingToCountersign, countersign, "nurse", shown=shown)
    trial_world.sign_consent(participant)
    unknown = CountersignConsent(participant=participant, identity_check="a feeling")
    trial_world.refuses(IdentityCheckUnknown, unknown, "nurse", shown=shown)
    trial_world.refuses(TextNotInForce, countersign, "nurse", shown="0" * 64)
    trial_world.give(countersign, "nurse", shown=shown)
    trial_world.refuses(NothingToCountersign, countersign, "nurse", shown=shown)


def test_an_amendment_between_the_two_signatures_asks_for_the_new_text(trial_worlds, small_build, amended_build):
    world = trial_worlds(small_build, amended_build)
    participant = world.screened()
    world.sign_consent(participant)
    activate(world, amended_build, reconsent=True)
    countersign = CountersignConsent(participant=participant, identity_check="photo_document")
    shown = text_hash(small_build.study.consent["en"])
    world.refuses(TextNotInForce, countersign, "nurse", shown=shown)


def test_a_text_that_changed_under_the_same_version_is_another_text(trial_worlds, small_build, small_study):
    text = small_study.consent["en"]
    longer = text.sections[0].model_copy(update={"text": "Three injections."})
    changed = compiled(
        small_study.model_copy(
            update={
                "identity": small_study.identity.model_copy(update={"version": "1.1"}),
                "consent": {**small_study.consent, "en": text.model_copy(update={"sections": (longer,)})},
            }
        )
    )
    world = trial_worlds(small_build, changed)
    participant = world.screened()
    world.sign_consent(participant)
    activate(world, changed, reconsent=False)
    countersign = CountersignConsent(participant=participant, identity_check="photo_document")
    world.refuses(TextNotInForce, countersign, "nurse", shown=text_hash(text))


@pytest.mark.parametrize("reconsent", [True, False])
def test_after_an_amendment_consent_is_given_again_where_the_amendment_asks_for_it(
    trial_worlds, small_build, amended_build, reconsent
):
    world = trial_worlds(small_build, amended_build)
    here, elsewhere = world.examined(), world.examined(site="02")
    activate(world, amended_build, reconsent=reconsent)  # without any time passing
    assess = AssessCriteria(participant=here, stated={"willing": "true"})
    if reconsent:
        refused = world.refuses(ConsentNotInForce, assess, "investigator")
        assert "amendment" in refused.message
        world.consented(here)
        assert consent_of(world, here).version == "2.0"
    world.give(assess, "investigator")
    assert gap(world, elsewhere) is None
    assert gap(world, world.consented()) is None


def test_who_declined_may_change_their_mind(trial_world):
    participant = trial_world.screened()
    trial_world.sign_consent(participant)
    trial_world.give(RefuseConsent(participant=participant), me(participant))
    assert consent_of(trial_world, participant).refused
    countersign = CountersignConsent(participant=participant, identity_check="photo_document")
    trial_world.refuses(NothingToCountersign, countersign, "nurse")
    trial_world.consented(participant)
    assert not consent_of(trial_world, participant).refused
    trial_world.refuses(AlreadyConsented, RefuseConsent(participant=participant), "nurse")
    trial_world.refuses(NotFound, RefuseConsent(participant="NO-01-099"), "nurse")


def test_withdrawal_takes_away_the_scopes_named_and_without_names_all(trial_world):
    participant = trial_world.consented()
    trial_world.give(WithdrawConsent(participant=participant, scopes=("treatment",)), me(participant))
    assert gap(trial_world, participant) is None
    assert gap(trial_world, participant, treatment=True) == "consent for treatment was withdrawn"
    receipt = trial_world.give(WithdrawConsent(participant=participant), "nurse")
    assert receipt.event(ConsentWithdrawn).scopes == ("treatment", "visits", "data_use", "samples")
    assert gap(trial_world, participant) == "consent for visits was withdrawn"


def test_withdrawal_is_taken_whenever_it_comes_and_with_the_day_it_was_said(trial_world):
    participant = trial_world.randomised()
    trial_world.give(
        EndParticipation(participant=participant, date=trial_world.today, how="lost_to_follow_up"), "nurse"
    )
    receipt = trial_world.give(
        WithdrawConsent(participant=participant), "nurse", observed_at="2025-03-01T23:30:00-05:00"
    )
    assert receipt.event(ConsentWithdrawn).date == "2025-03-02"  # the site's day, not the caller's
    trial_world.give(WithdrawConsent(participant=trial_world.screened()), "nurse")  # even before any consent


def test_a_scope_that_the_text_does_not_name_is_refused(trial_world):
    participant = trial_world.consented()
    trial_world.refuses(ScopeUnknown, WithdrawConsent(participant=participant, scopes=("soul",)), me(participant))
    trial_world.refuses(NotFound, WithdrawConsent(participant="NO-01-099"), "nurse")


def test_who_withdrew_may_consent_again(trial_world):
    participant = trial_world.consented()
    trial_world.give(WithdrawConsent(participant=participant), me(participant))
    trial_world.consented(participant)
    assert gap(trial_world, participant, treatment=True) is None


def test_the_consent_log_shows_every_signature_in_its_order(trial_world):
    participant = trial_world.consented()
    trial_world.give(WithdrawConsent(participant=participant, scopes=("samples",)), me(participant))
    rows = trial_world.trial.stores[Space.OPEN].rows.where(CONSENT_LOG, participant=participant)
    assert [(row["what"], row["actor"], row["scopes"]) for row in rows] == [
        ("signed", participant, None),
        ("countersigned", "nurse-01", None),
        ("withdrawn", participant, "samples"),
    ]
