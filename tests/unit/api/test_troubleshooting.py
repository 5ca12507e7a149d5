import pytest

from transcription_api.troubleshooting import render, table_of
from transcription_contract.reason import Section

EMPTY = "\n".join(f"## {s}\n<!-- reasons: {s} -->\n<!-- end of reasons -->" for s in Section)


def test_a_page_gets_its_tables_once_and_keeps_what_was_written_by_hand():
    page = render(EMPTY)
    assert render(page) == page
    assert page.startswith("## pending\n<!-- reasons: pending -->\n\n| reason |")
    assert "| `Suspended` | `spec.suspend` is true. | Set it to false. |  |\n" in page


def test_words_that_the_operator_replaces_are_found_in_the_page():
    assert "| `ImagePullBackOff` (Kubernetes: `ErrImagePull`, " in table_of(Section.PENDING)


@pytest.mark.parametrize(
    "page",
    ["", EMPTY.replace("reasons: node", "reasons: nodes"), EMPTY + EMPTY],
    ids=["no place", "a section that does not exist", "twice"],
)
def test_a_page_without_a_place_for_each_table_is_refused(page):
    with pytest.raises(ValueError, match="tables of"):
        render(page)
