"""The report's own words in English and Norwegian (bokmål), and numbers as each language writes them."""

from __future__ import annotations

import math
from collections.abc import Mapping

from trialwright.analysis.estimates import Remark

NORWEGIAN: Mapping[str, str] = {
    # the page
    "Statistical report": "Statistisk rapport",
    "Open report to the committee": "Åpen rapport til overvåkingskomiteen",
    "Closed report to the committee": "Lukket rapport til overvåkingskomiteen",
    "Contents": "Innhold",
    "Main result": "Hovedresultat",
    "Results": "Resultater",
    "Order of tests": "Testrekkefølge",
    "Every model of the plan": "Alle modeller i planen",
    "What the data sets tell": "Merknader til datasettene",
    "What": "Hva",
    "Where the numbers come from": "Hvor tallene kommer fra",
    "Table {n}": "Tabell {n}",
    "Figure {n}": "Figur {n}",
    "Listing {n}": "Liste {n}",
    "Plan item": "Punkt i planen",
    "Plan item {item}": "Punkt i planen: {item}",
    "snapshot {root}": "øyeblikksbilde {root}",
    "Snapshot": "Øyeblikksbilde",
    "Data until": "Data til og med",
    "Entries": "Oppføringer",
    "Build": "Bygg",
    "Code": "Kode",
    "Frozen code": "Låst kode",
    "No programs had been frozen in the record at this snapshot.":
        "Ingen programmer var låst i registreringen ved dette øyeblikksbildet.",
    "These are the programs that the record froze ({code}).":
        "Dette er programmene som registreringen låste ({code}).",
    "A rehearsal freezes a stand-in ({code}), no real programs.":
        "En generalprøve låser en stedfortreder ({code}), ikke virkelige programmer.",
    "THE PROGRAMS DIFFER: the record froze {code} before the unblinding, these numbers were made by {running}.":
        "PROGRAMMENE ER ANDRE: registreringen låste {code} før avblindingen, disse tallene er laget av {running}.",
    "Data cut": "Datauttrekk",
    "Page": "Side",
    "Not shown": "Ikke vist",
    "Nothing to list.": "Ingenting å liste.",
    "Values": "Verdier",
    "Each number is worked out by this code from the record as it stood at this snapshot, because the item of the "
    "plan that stands below each table and figure asks for it. results.json holds the same numbers for machines.":
        "Hvert tall er regnet ut av denne koden fra registreringen slik den sto ved dette øyeblikksbildet, fordi "
        "punktet i planen under hver tabell og figur ber om det. results.json har de samme tallene for maskiner.",
    # marks
    "DUMMY ALLOCATION - NOT THE REAL TREATMENT": "OPPDIKTET TILDELING - IKKE DEN VIRKELIGE BEHANDLINGEN",
    "REHEARSAL - VIRTUAL PARTICIPANTS": "GENERALPRØVE - VIRTUELLE DELTAKERE",
    "OPEN REPORT - ALL PARTICIPANTS TOGETHER": "ÅPEN RAPPORT - ALLE DELTAKERE SAMLET",
    "CLOSED REPORT - FOR THE COMMITTEE ONLY": "LUKKET RAPPORT - BARE FOR KOMITEEN",
    # columns and lines
    "All": "Alle",
    "Endpoint and model": "Endepunkt og modell",
    "Participants": "Deltakere",
    "Participant": "Deltaker",
    "n": "n",
    "{label}, mean (SD)": "{label}, gjennomsnitt (SD)",
    "{label}, events / participants": "{label}, hendelser / deltakere",
    "Mean (SD)": "Gjennomsnitt (SD)",
    "mean (SD)": "gjennomsnitt (SD)",
    "median (lowest to highest)": "median (laveste til høyeste)",
    "Difference or ratio ({level} % CI)": "Forskjell eller ratio ({level} % KI)",
    "p": "p",
    "{label} (n = {n})": "{label} (n = {n})",
    "Characteristic": "Kjennetegn",
    "Age (years)": "Alder (år)",
    "{label}, years before randomisation": "{label}, år før randomisering",
    "not known": "ukjent",
    "Yes": "Ja",
    "No": "Nei",
    "Observed, {sequence}, {period}": "Observert, {sequence}, {period}",
    "main": "hovedanalyse",
    "sensitivity": "sensitivitetsanalyse",
    "supplementary": "tilleggsanalyse",
    "not estimated": "ikke estimert",
    "analysis of covariance": "kovariansanalyse",
    "crossover model": "overkrysningsmodell",
    "mixed model for repeated measures": "blandet modell for gjentatte målinger",
    "log-rank test": "log-rank-test",
    "Cox regression": "Cox-regresjon",
    "negative binomial regression": "negativ binomial regresjon",
    "Cochran-Mantel-Haenszel": "Cochran-Mantel-Haenszel",
    "re-randomisation test": "re-randomiseringstest",
    "first period only": "bare første periode",
    "Differences and ratios are {one} against {other}.": "Forskjeller og ratioer er {one} mot {other}.",
    "Estimand": "Estimand",
    "Model": "Modell",
    "Step": "Trinn",
    "Decision": "Avgjørelse",
    "Adjusted p": "Justert p",
    "significant": "signifikant",
    "not significant": "ikke signifikant",
    "not tested: an earlier step was not significant": "ikke testet: et tidligere trinn var ikke signifikant",
    "Each hypothesis is tested at the two-sided level {alpha}, only if all before it were significant.":
        "Hver hypotese testes på tosidig nivå {alpha}, bare hvis alle før den var signifikante.",
    "Population": "Populasjon",
    # adverse events
    "Adverse event": "Uønsket hendelse",
    "Before treatment": "Før behandling",
    "After treatment": "Etter behandling",
    "After {label}": "Etter {label}",
    "Any event": "Minst én hendelse",
    "Any serious event": "Minst én alvorlig hendelse",
    "Worst grade {grade}": "Verste grad {grade}",
    "Worst grade not known": "Verste grad ukjent",
    "By period": "Etter periode",
    "By kind": "Etter type",
    "Period {n}": "Periode {n}",
    "not coded": "ikke kodet",
    "Participants (share) [events]. An event belongs to the last dose before it.":
        "Deltakere (andel) [hendelser]. En hendelse hører til siste dose før den.",
    "Event": "Hendelse",
    "Grade": "Grad",
    "From": "Fra",
    "To": "Til",
    "Related": "Sammenheng",
    "Outcome": "Utfall",
    "Treatment": "Behandling",
    # listings
    "Visit": "Besøk",
    "Date": "Dato",
    "What happened": "Hva som skjedde",
    "Specimen": "Prøve",
    "By": "Av",
    "Only visits at which a question that depends on an earlier answer was asked.":
        "Bare besøk der et spørsmål som avhenger av et tidligere svar, ble stilt.",
    "Collections only: what the laboratory recorded is in the closed space.":
        "Bare innsamlinger: det laboratoriet har registrert, er i det lukkede rommet.",
    "Guess": "Gjetning",
    "At {visit}": "Ved {visit}",
    # flow
    "Assessed for eligibility": "Vurdert for deltakelse",
    "Not randomised": "Ikke randomisert",
    "Randomised": "Randomisert",
    "Treated in period {n}": "Behandlet i periode {n}",
    "Treated": "Behandlet",
    "Not treated": "Ikke behandlet",
    "Left the study": "Avsluttet før tiden",
    "Completed": "Fullførte",
    "Still in the study": "Fortsatt i studien",
    "Analysed": "Analysert",
    # figures
    "Change from baseline": "Endring fra baseline",
    "Percent change from baseline": "Prosentvis endring fra baseline",
    "Mean with {level} % interval": "Gjennomsnitt med {level} % intervall",
    "Each participant": "Hver deltaker",
    "Favours {label}": "Til fordel for {label}",
    "Difference in standard deviations": "Forskjell i standardavvik",
    "Days": "Dager",
    "Days since the first treatment": "Dager siden første behandling",
    "Without the event": "Uten hendelsen",
    "At risk": "Under risiko",
    "Standard deviations are of the observed values, pooled within arms.":
        "Standardavvikene er av de observerte verdiene, slått sammen innen armene.",
    "One line a participant.": "Én linje per deltaker.",
    # remarks of models
    "Carry-over {value} ({low} to {high}); reported, never acted on.":
        "Overføring {value} ({low} til {high}); rapportert, aldri brukt til å velge analyse.",
    "First period alone {value} ({low} to {high}).": "Første periode alene {value} ({low} til {high}).",
    "Difference at the last visit that the plan names.": "Forskjell ved det siste besøket planen nevner.",
    "The counts vary no more than Poisson's; Poisson regression instead.":
        "Antallene varierer ikke mer enn Poissons; Poisson-regresjon i stedet.",
    "The usual minimisation: probability 4/5, imbalance by range; the sealed specification was not given.":
        "Vanlig minimering: sannsynlighet 4/5, ubalanse etter spennvidde; den forseglede spesifikasjonen ble ikke "
        "gitt.",
    "Block sizes and tolerances are the usual ones; the sealed specification was not given.":
        "Blokkstørrelser og toleranser er de vanlige; den forseglede spesifikasjonen ble ikke gitt.",
    "Monte-Carlo standard error of p {error}, {lists} lists.":
        "Monte Carlo-standardfeil for p {error}, {lists} lister.",
    "Hazard ratio by Cox's model, p-value of the log-rank test.":
        "Hasardratio etter Cox' modell, p-verdi fra log-rank-testen.",
    # reasons
    "A comparison of arms; an open report shows all participants together.":
        "En sammenligning av armer; en åpen rapport viser alle deltakere samlet.",
    "It shows nothing that can be drawn.": "Den viser ingenting som kan tegnes.",
    "to": "til",
    # sentences
    "{label}: {value} ({level} % CI {low} to {high}; p = {p}), {one} against {other}, {n} participants.":
        "{label}: {value} ({level} % KI {low} til {high}; p = {p}), {one} mot {other}, {n} deltakere.",
    "{label}: not estimated. {why}": "{label}: ikke estimert. {why}",
}  # fmt: skip
"""English → bokmål."""

METHODS: Mapping[str, str] = {
    "ancova": "analysis of covariance",
    "crossover": "crossover model",
    "mmrm": "mixed model for repeated measures",
    "logrank": "log-rank test",
    "cox": "Cox regression",
    "negative_binomial": "negative binomial regression",
    "cmh": "Cochran-Mantel-Haenszel",
    "exact": "re-randomisation test",
}
"""Method of the plan → its name in words."""

LANGUAGES = ("en", "nb")


class Words:
    """Words and numbers of one language.

    Args:
        language: ``en`` or ``nb``; the report's own words are English in every other.
    """

    def __init__(self, language: str = "en") -> None:
        self.language = language if language in LANGUAGES else "en"

    def __call__(self, english: str, **given: object) -> str:
        """A sentence in the language, with what is given in its places."""
        text = NORWEGIAN.get(english, english) if self.language == "nb" else english
        return text.format(**given) if given else text

    def number(self, value: float | None, decimals: int = 2) -> str:
        """A number with so many decimals; a dash where there is none."""
        if value is None or not math.isfinite(value):
            return "–"
        text = f"{value:.{decimals}f}"
        if float(text) == 0:
            text = text.removeprefix("-")
        text = text.replace("-", "−")
        return text.replace(".", ",") if self.language == "nb" else text

    def p(self, value: float | None) -> str:
        """A p-value with three decimals."""
        if value is None:
            return "–"
        return f"< {self.number(0.001, 3)}" if value < 0.001 else self.number(value, 3)

    def interval(self, value: float | None, low: float | None, high: float | None) -> str:
        """``value (low to high)`` with as many decimals as the interval's width deserves."""
        digits = decimals_of(low, high)
        to = self("to")
        return (
            f"{self.number(value, digits)} ({self.number(low, digits)} {to} {self.number(high, digits)})"
        )  # fmt: skip

    def estimate(self, scale: str, value: float | None, low: float | None, high: float | None) -> str:
        """An interval; of a ratio, each number with three digits, since its ends may lie far apart."""
        if scale == "difference" or value is None or low is None or high is None:
            return self.interval(value, low, high)
        return f"{self._short(value)} ({self._short(low)} {self('to')} {self._short(high)})"

    def spread(self, mean: float | None, sd: float | None) -> str:
        """``mean (SD)``."""
        digits = decimals_of(0.0, 4 * sd if sd is not None else mean)
        return f"{self.number(mean, digits)} ({self.number(sd, digits)})"

    def share(self, part: int, whole: int) -> str:
        """``n (percent)``."""
        return f"{part} ({self.number(100 * part / whole, 0)} %)" if whole else str(part)

    def remark(self, remark: Remark) -> str:
        """What a model remarks."""
        shown = {
            name: self._short(value) if isinstance(value, float) else value for name, value in remark.given.items()
        }
        return self(remark.sentence, **shown)

    def _short(self, value: float) -> str:
        """Three significant digits."""
        if not value or not math.isfinite(value):
            return self.number(value, 0)
        return self.number(value, max(0, 2 - math.floor(math.log10(abs(value)))))


def decimals_of(low: float | None, high: float | None) -> int:
    """Decimals that show about three digits of a width; 0 … 4."""
    if low is None or high is None or not math.isfinite(high - low) or high == low:
        return 2
    return min(4, max(0, 2 - math.floor(math.log10(abs(high - low)))))
