# test_ipcbox.py - judge the console of a board: pytest --lg-env qemu.yaml, or serial.yaml
#
# SPDX-License-Identifier: 0BSD


def test_every_planned_case_has_a_result(console):
    assert console.planned and len(console.results) == console.planned


def test_no_case_fails(console):
    assert not console.failed


def test_the_totals_are_those_of_the_results(console):
    assert sum(console.totals.values()) == len(console.results)
    assert console.totals["skip"] == len(console.skips)
    assert console.totals["fail"] == console.totals["error"] == 0


def test_the_data_sheet_was_measured(console):
    assert {"round trip", "copy"} <= {what for what, _, _ in console.sheet}
