# conftest.py - switch a board of labgrid on, read its console, and report what pipetest says there
#
# $LG_LIMIT is how many seconds the board may take (600).
#
# SPDX-License-Identifier: 0BSD
import os
import re

import pytest
from labgrid.protocol import ConsoleProtocol, PowerProtocol

RESULT = re.compile(r"^(not )?ok \d+ (\S+)(?: # (SKIP|XFAIL)\b ?(.*))?")
SHEET = re.compile(r"(?:^|, )([^,]+?) ([\d.]+) ([^ ,]+)")


class Console:
    """What a console shows from power-on to the line "# ipcbox end"."""

    def __init__(self, text):
        runs = re.split(r"^KTAP version 1$", text.replace("\r", ""), flags=re.M)[1:]
        measured = [run for run in runs if re.search(r"^ok \d+ bench\.", run, re.M)]
        self.run = next((run for run in runs if run not in measured), "")
        lines = self.run.split("\n")
        self.results = [m.groups() for m in map(RESULT.match, lines) if m]
        plan = re.search(r"^1\.\.(\d+)$", self.run, re.M)
        self.planned = int(plan[1]) if plan else None
        totals = re.search(r"^# Totals: (.*)$", self.run, re.M)
        self.totals = {k: int(v) for k, v in re.findall(r"(\w+):(\d+)", totals[1])} if totals else {}
        self.failed = [name for bad, name, _, _ in self.results if bad]
        self.skips = [(name, why) for _, name, what, why in self.results if what == "SKIP"]
        fixes = re.search(r"^# Your kernel lacks these fixes:\n((?:#   .*\n)*)", self.run, re.M)
        self.fixes = [line[4:] for line in fixes[1].splitlines()] if fixes else []
        system = re.search(r"^# ipcbox (\S+) pipetest on (.*)$", self.run, re.M)
        self.version, self.system = system.groups() if system else ("", "")
        sheet = re.search(r"^# Data sheet: (.*)$", "".join(measured), re.M)
        self.sheet = SHEET.findall(sheet[1]) if sheet else []

    def properties(self):
        """The pairs of name and value that go to the JUnit file and to the end of pytest's output."""
        pairs = [("system", self.system), ("ipcbox", self.version)]
        pairs += [("total." + name, count) for name, count in self.totals.items()]
        pairs += [("skip." + name, why) for name, why in self.skips]
        pairs += [("missing_fix", fix) for fix in self.fixes]
        return pairs + [("data_sheet." + what.replace(" ", "_"), value + " " + unit) for what, value, unit in self.sheet]


@pytest.fixture(scope="session")
def console(request, target, record_testsuite_property):
    power = target.get_driver(PowerProtocol)
    serial = target.get_driver(ConsoleProtocol)
    power.cycle()
    _, before, _, _ = serial.expect(r"# ipcbox end rc=\d+", timeout=int(os.environ.get("LG_LIMIT", 600)))
    power.off()
    seen = Console(before.decode("ascii", "replace"))
    for name, value in seen.properties():
        record_testsuite_property(name, value)
    request.config.ipcbox_console = seen
    return seen


def pytest_terminal_summary(terminalreporter, config):
    seen = getattr(config, "ipcbox_console", None)
    if seen:
        terminalreporter.section("ipcbox on this board")
        for name, value in seen.properties():
            terminalreporter.write_line(f"{name}: {value}")
