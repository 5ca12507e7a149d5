from kubectl_transcribe import table

COLUMNS = [
    {"name": "Name", "priority": 0},
    {"name": "Phase", "priority": 0},
    {"name": "Speed", "priority": 1},
]


def server_table(*rows, columns=COLUMNS):
    return {
        "columnDefinitions": columns,
        "rows": [
            {"cells": cells, "object": {"metadata": {"namespace": namespace}}}
            for namespace, cells in rows
        ],
    }


ROWS = server_table(("media", ["standup", "Running", "38.2x"]), ("team-a", ["x", None, None]))


def test_columns_are_as_wide_as_their_widest_cell():
    assert table.render([ROWS], wide=False, with_namespace=False) == (
        "NAME      PHASE\nstandup   Running\nx\n"
    )


def test_wide_shows_the_columns_of_lower_priority_too():
    lines = table.render([ROWS], wide=True, with_namespace=False).splitlines()
    assert lines[:2] == ["NAME      PHASE     SPEED", "standup   Running   38.2x"]


def test_of_all_namespaces_each_is_named():
    lines = table.render([ROWS], wide=False, with_namespace=True).splitlines()
    assert lines[0].split() == ["NAMESPACE", "NAME", "PHASE"]
    assert lines[2].split() == ["team-a", "x"]


def test_several_tables_become_one():
    second = server_table(("media", ["other", "Failed", None]), columns=[])
    lines = table.render([ROWS, second], wide=False, with_namespace=False).splitlines()
    assert lines[-1] == "other     Failed"


def test_a_cell_cannot_reach_the_terminal_or_break_the_table():
    hostile = server_table(("media", ["a", "\x1b[2J\nb  Succeeded", None]))
    text = table.render([hostile], wide=False, with_namespace=False)
    assert "\x1b" not in text
    assert len(text.splitlines()) == 2
