"""The base of every model that crosses a process border."""

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic.alias_generators import to_camel


class Model(BaseModel):
    """Immutable, camelCase on the wire, and strict about names: a typo is an error."""

    model_config = ConfigDict(
        alias_generator=to_camel,
        populate_by_name=True,
        extra="forbid",
        frozen=True,
        protected_namespaces=(),
    )


def mistakes(error: ValidationError) -> list[str]:
    """What is wrong, and where: one entry for each field."""
    return [f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors()]
