"""The statistician makes a list on a machine of their own and signs it in the closed process."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from trialwright.cli import app
from trialwright.stores import open_store
from trialwright.trial.allocation.views import COMMITMENT
from trialwright_web.config.demo import PASSWORD

STUDY = "smart-ms"
FOLDER = Path(__file__).parents[2] / "studies" / STUDY
ADDRESS = f"/{STUDY}/laboratory/list"


@pytest.fixture(scope="module")
def closed(serve: Callable[..., Any]) -> Any:
    return serve("closed")


def prepared(folder: Path, *, number: int) -> Path:
    password = folder / "password"
    password.write_text("a long enough password\n")
    password.chmod(0o600)
    for purpose in ("dispensing", "unblinding"):
        made = ["keys", "generate", purpose, "--study", STUDY, "-o", str(folder / purpose)]
        assert CliRunner().invoke(app, [*made, "--password-file", str(password)]).exit_code == 0
    keys = ["--dispensing", str(folder / "dispensing.public"), "--unblinding", str(folder / "unblinding.public")]
    open_points = ["--rows", "24", "--parameters", json.dumps({"sizes": [2, 4]}), "--number", str(number)]
    done = CliRunner().invoke(app, ["list", "prepare", str(FOLDER), *keys, *open_points, "-o", str(folder / "list")])
    assert done.exit_code == 0, done.output
    return folder / "list"


def give(client: Any, file: Path) -> Any:
    token = client.get(ADDRESS).text.split('name="csrfmiddlewaretoken" value="')[1].split('"')[0]
    files = {"file": (file.name, file.read_bytes(), "application/json")}
    headers = {"Referer": f"{client.base_url}{ADDRESS}"}
    return client.post(
        f"{ADDRESS}/file", data={"csrfmiddlewaretoken": token}, files=files, headers=headers, follow_redirects=True
    )


def test_a_list_is_read_its_root_compared_and_signed(
    acts: Any, closed: Any, installation: Path, tmp_path: Path
) -> None:
    statistician = closed.client("independent_statistician.1", f"{STUDY}:independent_statistician@")
    made = prepared(tmp_path, number=2)
    root = json.loads((made / "sealed-list.json").read_text())["sealed"]["root"]
    assert ADDRESS in statistician.get(f"/{STUDY}/laboratory/allocations").text

    wrong = give(statistician, made / "specification.json")
    assert wrong.status_code == 422
    assert "the file is no sealed list" in wrong.text

    page = give(statistician, made / "sealed-list.json")
    assert root in page.text
    seed = json.loads((made / "specification.json").read_text())["seed"]
    assert seed not in page.text

    refused = acts.send(statistician, f"{ADDRESS}/sign", password="not my password")
    assert acts.refusal(refused) == "web.signature_refused"
    answer = acts.send(statistician, f"{ADDRESS}/sign", password=PASSWORD)
    assert root in answer.text
    with open_store(f"sqlite:///{installation / f'{STUDY}.db'}") as store:
        lists = {(row["list"], row["root"]) for row in store.rows.where(COMMITMENT)}
    assert (2, root) in {(int(str(number)), found) for number, found in lists}
    assert statistician.get(f"{ADDRESS}/sign", follow_redirects=False).status_code == 302  # nothing waits any more
