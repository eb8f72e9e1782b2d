"""What a study must fulfil beyond the form of its files; one small function each, listed here by hand."""

from trialwright.build.rules import formulas, identity
from trialwright.build.rules.rule import Problem, Rule, page

RULES: tuple[Rule, ...] = (
    identity.translated,
    identity.languages_declared,
    identity.study_named,
    identity.ids_unique,
    identity.registers_agree,
    identity.shown_listed,
    identity.zones_exist,
    identity.participants_add_up,
    identity.one_coordinates,
    identity.roles_known,
    identity.stays_blinded,
    identity.open_is_open,
    identity.rater_apart,
    identity.design_complete,
    identity.sequences_complete,
    identity.sequences_balanced,
    formulas.readable,
    formulas.names_known,
    formulas.kinds_agree,
    formulas.units_agree,
    formulas.codes_listed,
    formulas.conditions_decide,
    formulas.computed_fits,
)
"""All rules, by code."""

__all__ = ["RULES", "Problem", "Rule", "page"]
