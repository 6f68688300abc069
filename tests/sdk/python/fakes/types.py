"""Judges JSON by types that a vendor's library declares for those who write requests in Python."""

from functools import cache

from pydantic import TypeAdapter, ValidationError
from pydantic_core import SchemaValidator

from .scene import Invalid


@cache
def validator(kind):
    return SchemaValidator(strict(TypeAdapter(kind).core_schema))


def check(kind, body):
    try:
        validator(kind).validate_python(body)
    except ValidationError as error:
        raise Invalid(told(error.errors(include_url=False))) from error


def told(errors):
    """A union complains once for each of its members, most of which were not meant: their role or type is another."""
    others = {one["loc"][:-1] for one in errors if one["type"] == "literal_error"}
    others -= {()}
    meant = [one for one in errors if not any(one["loc"][: len(other)] == other for other in others)]
    return "; ".join(f"{place(one['loc'])}: {one['msg']}" for one in (meant or errors)[:12])


def place(steps):
    """Without the names of unions, which are those of all their members."""
    return ".".join(str(step) for step in steps if "[" not in str(step))


def strict(schema):
    """The libraries let unknown members through, and read lists only when they are walked over."""
    if isinstance(schema, list):
        return [strict(one) for one in schema]
    if isinstance(schema, tuple):
        return tuple(strict(one) for one in schema)
    if not isinstance(schema, dict):
        return schema
    schema = {name: strict(value) for name, value in schema.items()}
    if schema.get("type") == "generator":
        schema["type"] = "list"
    # Where others are declared to be welcome, as in a JSON schema, they are.
    if schema.get("type") == "typed-dict" and "extras_schema" not in schema:
        schema["extra_behavior"] = "forbid"
    return schema
