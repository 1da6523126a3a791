"""The workflows, and a runner that carries their jobs out: real shell, git and files."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.helpers.codegen import ROOT

FOLDER = ROOT / ".github" / "workflows"
TOKEN = "token-of-the-job"
_SHELL = ["bash", "--noprofile", "--norc", "-eo", "pipefail"]
# gh writes down its calls and whether it had the token; the others do what a test puts there.
_GH = """#!/bin/sh
echo "gh $*" >> "$RUNNER_TEMP/calls"
[ "$GH_TOKEN" = token-of-the-job ] || exit 9
case "$*" in *list*) cat "$ANSWERS" 2>/dev/null || true;; esac
"""


def workflow(name: str) -> dict[Any, Any]:
    """A workflow; its key `on` is read as true, because YAML 1.1 says so."""
    found: dict[Any, Any] = yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))
    return found


def steps(name: str) -> Iterator[dict[str, Any]]:
    """All steps of a workflow."""
    for job in workflow(name)["jobs"].values():
        yield from job["steps"]


def git(folder: Path, *arguments: str) -> str:
    """What git prints, with no settings but those of the repository."""
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.test", *arguments]
    result = subprocess.run(
        command, cwd=folder, env=_environment(folder), check=True, capture_output=True, text=True
    )
    return result.stdout.strip()


def _environment(home: Path) -> dict[str, str]:
    quiet = {"HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1", "LC_ALL": "C"}
    return {"PATH": os.environ["PATH"], **quiet}


@dataclass
class Runner:
    """Machines for the jobs of one run: each job has its own, and artifacts cross between them."""

    folder: Path
    name: str
    needs: dict[str, dict[str, str]] = field(default_factory=dict)
    event: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Read the workflow."""
        self.workflow = workflow(self.name)

    @property
    def remote(self) -> Path:
        """The bare repository that jobs check out and push to."""
        return self.folder / "remote.git"

    @property
    def answers(self) -> Path:
        """What `gh ... list` prints."""
        return self.folder / "answers"

    def artifact(self, name: str) -> Path:
        """The folder of an artifact."""
        return self.folder / "artifacts" / name

    def calls(self, job: str) -> list[str]:
        """How gh was called in a job."""
        path = self.folder / job / "temp" / "calls"
        return path.read_text(encoding="utf-8").splitlines() if path.exists() else []

    def tool(self, name: str, script: str) -> None:
        """Put a program before all others on the path of every job."""
        path = self.folder / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(script if script.startswith("#!") else f"#!/bin/bash\n{script}\n")
        path.chmod(0o755)

    def run(self, job: str) -> None:
        """Carry out a job on a machine of its own; CalledProcessError when a step fails."""
        machine = _Machine(self, job)
        for step in self.workflow["jobs"][job]["steps"]:
            machine.step(step)
        outputs = self.workflow["jobs"][job].get("outputs", {})
        self.needs[job] = {key: machine.filled(value) for key, value in outputs.items()}


class _Machine:
    """One machine: what a step leaves in it, later steps of this job find, and no other job."""

    def __init__(self, runner: Runner, job: str) -> None:
        self.runner, self.job = runner, job
        self.home = runner.folder / job
        self.work, self.temp = self.home / "work", self.home / "temp"
        shutil.rmtree(self.home, ignore_errors=True)
        self.work.mkdir(parents=True)
        self.temp.mkdir()
        self.outputs: dict[str, dict[str, str]] = {}
        runner.tool("gh", _GH)
        self.environment = _environment(self.home) | {
            "PATH": f"{runner.folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "RUNNER_TEMP": str(self.temp),
            "ANSWERS": str(runner.answers),
            **runner.workflow.get("env", {}),
        }

    def step(self, step: dict[str, Any]) -> None:
        """Carry out one step, if its condition holds."""
        if "if" in step and not self._holds(step["if"]):
            return
        inputs = {key: self.filled(str(one)) for key, one in step.get("with", {}).items()}
        match step.get("uses", "").split("@")[0]:
            case "":
                self._shell(step)
            case "actions/checkout":
                git(self.home, "clone", "--quiet", str(self.runner.remote), str(self.work))
            case "actions/upload-artifact":
                self._upload(self.work / inputs["path"], self.runner.artifact(inputs["name"]))
            case "actions/download-artifact":
                source = self.runner.artifact(inputs["name"])
                target = self.work / inputs.get("path", ".")
                shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)

    def filled(self, text: str) -> str:
        """Text with the expressions in it filled in."""
        return re.sub(r"\$\{\{ (.*?) \}\}", lambda match: self._value(match[1]), text)

    def _value(self, name: str) -> str:
        match name.split("."):
            case ["needs", job, "outputs", key]:
                return self.runner.needs[job][key]
            case ["steps", step, "outputs", key]:
                return self.outputs[step].get(key, "")
        fixed = {"github.token": TOKEN, "runner.temp": str(self.temp)}
        return (fixed | self.runner.event)[name]

    def _holds(self, condition: str) -> bool:
        name, expected = condition.split(" == ")
        return self._value(name) == expected.strip("'")

    def _shell(self, step: dict[str, Any]) -> None:
        """Run a step as the runner does, which reads three files after it for the next step."""
        files = {name: self.home / name for name in ("GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH")}
        for path in files.values():
            path.write_text("")
        given = {key: self.filled(str(value)) for key, value in step.get("env", {}).items()}
        environment = self.environment | {key: str(path) for key, path in files.items()}
        environment["GITHUB_STEP_SUMMARY"] = str(self.home / "summary")
        command = [*_SHELL, "-c", step["run"]]
        subprocess.run(command, cwd=self.work, env=environment | given, check=True)
        self.outputs[step.get("id", "")] = _pairs(files["GITHUB_OUTPUT"].read_text())
        self.environment |= _pairs(files["GITHUB_ENV"].read_text())
        for line in files["GITHUB_PATH"].read_text().splitlines():
            self.environment["PATH"] = f"{line}{os.pathsep}{self.environment['PATH']}"

    def _upload(self, source: Path, target: Path) -> None:
        if source.is_dir():
            shutil.copytree(source, target, symlinks=True, dirs_exist_ok=True)
        else:
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)


def _pairs(text: str) -> dict[str, str]:
    """The values of a file of outputs: `name=value`, or `name<<END`, lines, `END`."""
    found = re.finditer(r"^(\w+)(?:=(.*)|<<(\w+)\n((?s:.*?))\n\3)$", text, re.MULTILINE)
    return {match[1]: match[4] if match[3] else match[2] for match in found}
