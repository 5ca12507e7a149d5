from hypothesis import given
from hypothesis import strategies as st

from transcription_operator.policies.patch import merge_patch

VALUES = st.recursive(
    st.integers() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("abc"), inner),
    max_leaves=8,
)
OBJECTS = st.dictionaries(st.sampled_from("abcd"), VALUES)


def merge(target, patch):
    """RFC 7396, section 2, as written there."""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merge(result.get(name), value)
    return result


@given(before=OBJECTS, after=OBJECTS)
def test_applying_the_patch_gives_the_wanted_object(before, after):
    assert merge(before, merge_patch(before, after)) == after


@given(value=OBJECTS)
def test_equal_objects_need_no_patch(value):
    assert merge_patch(value, value) == {}
