"""Every `lira …` command that the README and the documentation name exists, with the options they give it.

Commands are parsed, not run: the option must be one of the command's own, and a command of a group one of the group's.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import typer

from lira_rag.cli.app import app

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted(ROOT.glob("integrations/*/README.md"))]
TREE = typer.main.get_command(app)


def commands(text: str) -> list[str]:
    """Commands in code: lines of blocks that are not Python, with their continuation, and spans between backticks."""
    found = []
    for kind, block in re.findall(r"^```(\w*)\n(.*?)^```", text, re.MULTILINE | re.DOTALL):
        if kind != "python":
            lines = block.replace("\\\n", " ").splitlines()
            found += [line.strip().removeprefix("$ ") for line in lines]
    plain = re.sub(r"^```.*?^```", "", text, flags=re.MULTILINE | re.DOTALL)
    found += re.findall(r"`([^`]+)`", plain)
    found += [line.strip() for line in re.findall(r"^    (lira .*)$", plain, re.MULTILINE)]
    return [" ".join(line.split()) for line in found if re.match(r"lira [a-z]", line)]


def problem(command: str) -> str:
    """Why a command is none of ours; "" when it is."""
    words = shlex.split(re.split(r"\s+#\s|\s[<>|]\s", command.replace("…", "x"))[0])[1:]
    if words[:2] == ["eval", "--index"]:  # short for `eval index`; see cli/eval.py
        words[1] = "index"
    at: Any = TREE
    while words and (known := getattr(at, "commands", None)):
        name = words[0]
        if name not in known:
            return "" if at.invoke_without_command and name.startswith("-") else f"there is no {name!r}"
        at, words = known[name], words[1:]
    options = {option for parameter in at.params for option in (*parameter.opts, *parameter.secondary_opts)} | {
        "--help"
    }
    if at.context_settings.get("ignore_unknown_options"):
        return ""
    given = [word.split("=")[0] for word in words if re.match(r"--?[a-z]", word)]
    return ", ".join(f"no option {option!r}" for option in given if option not in options)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_on_the_page_exists(page: Path) -> None:
    named = commands(page.read_text(encoding="utf-8"))
    assert {command: problem(command) for command in named if problem(command)} == {}


def test_commands_are_found_and_wrong_ones_are_noticed() -> None:
    assert sum(len(commands(page.read_text(encoding="utf-8"))) for page in PAGES) > 60
    text = "`lira ask shop` and\n```\nlira search shop \\\n  --filter a=b  # note\n```\n\n    lira models pull\n"
    assert commands(text) == ["lira search shop --filter a=b # note", "lira ask shop", "lira models pull"]
    assert [problem(command) for command in commands(text)] == ["", "", ""]
    assert problem("lira serch shop") == "there is no 'serch'"
    assert problem("lira train orca") == "there is no 'orca'"
    assert problem("lira search shop --filtre a=b") == "no option '--filtre'"
