"""Pages of the rules that reading a folder applies by itself; they have no check of their own."""

from __future__ import annotations

from trialwright.build.rules.rule import Rule

READING_RULES: tuple[Rule, ...] = (
    Rule(
        "TW901",
        "A file is YAML 1.2",
        "A file that cannot be parsed says nothing. Indentation is made of spaces, never of tabs.",
        "arms:\n\t- id: active",
        "arms:\n  - id: active",
    ),
    Rule(
        "TW902",
        "A key is written once",
        "Of two equal keys one would silently win.",
        "phase: II\nphase: III",
        "phase: II",
    ),
    Rule(
        "TW903",
        "Only known keys are written",
        "A misspelt key would silently keep its default.",
        "acronim: SMART-MS",
        "acronym: SMART-MS",
    ),
    Rule(
        "TW904",
        "Every key that is needed is there",
        "The study cannot run without it, and nothing is guessed.",
        "id: smart-ms\n# no version",
        'id: smart-ms\nversion: "1.0"',
    ),
    Rule(
        "TW905",
        "A value has the right kind and form",
        "true and false are written so; texts that look like numbers go into quotes; a text with a comma inside { } "
        "goes into quotes.",
        "required: yes\nlabel: {en: Fever, chills}",
        'required: true\nlabel: {en: "Fever, chills"}',
    ),
    Rule(
        "TW906",
        "A value is one of those allowed",
        "Fixed choices have a meaning in the software; others have none.",
        "phase: IIb",
        "phase: II",
    ),
    Rule(
        "TW907",
        "A name is made of lower-case letters, digits and underscores",
        "Names become column names and keys of the record.",
        "id: Week-4",
        "id: week_4",
    ),
    Rule(
        "TW908",
        "Every file of a study is there",
        "A study is complete before it is built; `trialwright new` makes a small complete one.",
        "study.yaml\n# no schedule.yaml",
        "study.yaml\nschedule.yaml",
    ),
    Rule(
        "TW909",
        "Files are named by what they hold",
        "A misplaced or misnamed file would silently not be read.",
        "forms/edss_form.yaml   # holds id: edss",
        "forms/edss.yaml        # holds id: edss",
    ),
    Rule(
        "TW910",
        "Files are plain UTF-8 files of a sensible size",
        "Links could lead out of the folder; other encodings garble names.",
        "forms/edss.yaml -> ../../other/edss.yaml",
        "forms/edss.yaml        # the file itself",
    ),
    Rule(
        "TW911",
        "Values are written out",
        "Anchors, aliases and tags make a file mean something else than it says, and can make it grow without limit.",
        "a: &window {before: 7, after: 7}\nb: *window",
        "a: {before: 7, after: 7}\nb: {before: 7, after: 7}",
    ),
    Rule(
        "TW912",
        "A text file has a head and headings with ids",
        "Sections are found by their id in every language.",
        "## What happens",
        "---\ntitle: …\n---\n## What happens {#journey}",
    ),
)
