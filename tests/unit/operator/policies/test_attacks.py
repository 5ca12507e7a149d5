from typing import Any

import pytest
from jsonschema import Draft7Validator

from tests.attacks import ATTACKS, SETTINGS, Attack, By
from tests.unit.operator.builders import owner, settings
from transcription_api.crd import custom_resource_definition
from transcription_api.editor_schema import editor_schema
from transcription_contract.task import Task
from transcription_operator.errors import SpecError
from transcription_operator.policies.job import desired_job

FENCED = settings(**SETTINGS)
EDITOR = Draft7Validator(editor_schema())
PLAIN: dict[str, Any] = {
    "source": {"uri": "s3://recordings/standup.mp3"},
    "output": {"uri": "s3://transcripts/standup/"},
}


def by(*kinds: By) -> Any:
    chosen = [attack for attack in ATTACKS if attack.by in kinds]
    return pytest.mark.parametrize("attack", chosen, ids=lambda attack: attack.name)


def rules(schema: Any) -> set[str]:
    """The message of every rule of the CRD."""
    if isinstance(schema, list):
        return set().union(*map(rules, schema))
    if not isinstance(schema, dict):
        return set()
    own = {rule["message"] for rule in schema.get("x-kubernetes-validations", ())}
    return own.union(*map(rules, schema.values()))


MESSAGES = rules(custom_resource_definition())


def fits_the_schema(attack: Attack) -> bool:
    manifest = {
        "apiVersion": "transcription.dev/v1alpha1",
        "kind": "TranscriptionJob",
        "metadata": {"name": "standup"},
        "spec": PLAIN | attack.spec,
    }
    return EDITOR.is_valid(manifest)


def test_every_attack_has_a_name_of_its_own():
    names = [attack.name for attack in ATTACKS]
    assert len(names) == len(set(names)) >= 40


def test_what_the_attackers_start_from_is_allowed():
    assert desired_job(owner(), FENCED)


@by(By.OPERATOR)
def test_the_operator_refuses(attack: Attack):
    assert fits_the_schema(attack), "the API server refuses it before"
    with pytest.raises(SpecError) as refusal:
        desired_job(owner(**attack.spec), FENCED)
    assert attack.sentence in str(refusal.value)


@by(By.API_SERVER)  # no API server here: a rule has the message, or the schema does not fit
def test_the_crd_refuses(attack: Attack):
    by_rule = any(attack.sentence in message for message in MESSAGES)
    assert by_rule or not fits_the_schema(attack)


@by(By.PRUNED)
def test_a_field_that_does_not_exist_has_no_effect(attack: Attack):
    assert desired_job(owner(**attack.spec), FENCED) == desired_job(owner(), FENCED)


@by(By.WORKER)
def test_the_worker_may_connect_to_no_private_network(attack: Attack):
    manifest = desired_job(owner(**attack.spec), FENCED)
    task = manifest["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"]
    assert Task.model_validate_json(task).allowed_networks == ()
