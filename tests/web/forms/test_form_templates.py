"""Labels of a study are text wherever a form shows them, even those that the checker of studies would refuse."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from trialwright_web.config.demo import environment

PROGRAM = """
import sys
from dataclasses import replace
from datetime import date
from pathlib import Path
import django
django.setup()
from django.template.loader import render_to_string
from trialwright.build.compile import compiled
from trialwright.protocol import load_study
from trialwright.trial.capture.state import CaseBook
from trialwright_web.capture.form_entry import Typed
from trialwright_web.capture.form_model import form_model, rows_of
build = compiled(load_study(Path(sys.argv[1])).study)
form, key = build.forms["sheet"], ("screening", "sheet", 1)
typed = {"note": Typed(HOSTILE), "count": Typed(HOSTILE)}
model = form_model(build, CaseBook(), key, typed, rows=rows_of(form, [], {}), today=date(2026, 1, 1))
groups = []
for group in model.groups:
    fields = tuple(replace(f, label=HOSTILE, help=HOSTILE, unit=HOSTILE, computed=HOSTILE, findings=(HOSTILE,),
        choices=tuple(replace(c, label=HOSTILE) for c in f.choices)) for f in group.fields)
    groups.append(replace(group, title=HOSTILE, rows=(fields,)))
def draw(template, **context):
    print(render_to_string(f"capture/form_{template}.html", {"flags": {}, **context}))
if ONE_ROW:
    draw("row", field=replace(model.groups[0].fields[1], label=HOSTILE), readonly=False)
    sys.exit()
for readonly in (False, True):
    for group in groups:
        for field in group.fields:
            draw("row", field=field, readonly=readonly, flags={field.name: HOSTILE})
        draw("table", group=group, readonly=readonly)
draw("values", model=replace(model, groups=tuple(groups)))
"""


def drawn(rehearsed: Path, study: Path, hostile: str, *, one_row: bool = False) -> str:
    program = f"HOSTILE, ONE_ROW = {hostile}, {one_row}\n{PROGRAM}"
    known = {**os.environ, **environment(rehearsed, "staff")}
    command = [sys.executable, "-c", program, str(study)]
    done = subprocess.run(command, env=known, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return done.stdout.decode()


def test_a_script_in_any_text_of_a_form_is_text(rehearsed: Path, form_study: Path) -> None:
    page = drawn(rehearsed, form_study, repr("<script>alert(1)</script>\"'><img onerror=x>{{ 7 }}"))
    assert "<script" not in page
    assert "<img" not in page
    assert page.count("&lt;script&gt;") > 50
    assert "{{ 7 }}" in page


def test_a_label_of_ten_megabytes_is_drawn(rehearsed: Path, form_study: Path) -> None:
    page = drawn(rehearsed, form_study, "'x' * 10_000_000", one_row=True)
    assert len(page) > 30_000_000
