from hypothesis import given
from hypothesis import strategies as st

from transcription_contract.options import Decoding, ModelReference
from transcription_contract.task import Task


@given(prompt=st.text(max_size=50) | st.just("$(AWS_SECRET_ACCESS_KEY) $$(X)"))
def test_a_task_comes_back_whole_and_shows_the_kubelet_no_dollar(prompt):
    task = Task(
        uid="u",
        owner="media/standup",
        source_uri="s3://recordings/$(HOME).mp3",
        output_uri="s3://out/",
        secret_name="s",
        model=ModelReference(name="tiny"),
        decoding=Decoding(initial_prompt=prompt),
    )
    text = task.to_environment()
    assert "$" not in text
    assert Task.model_validate_json(text) == task
