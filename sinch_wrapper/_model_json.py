"""The JSON of models and of absent fields, for JSON libraries that know neither."""

from sinch_api_types import UNSET, Unset

from sinch_wrapper._json import plain

__all__ = ["UNSET", "Unset", "json_default"]


def json_default(value: object) -> object:
    """The JSON form of a value, for `json.dumps(page, default=json_default)` and orjson.

    A model becomes an object, UNSET becomes null, an aware date-time a string, any mapping an
    object.

    Raises: TypeError for a value without a JSON form, ValueError for a date-time without a zone.
    """
    if value is UNSET:
        return None
    to_dict = getattr(value, "to_dict", None)
    return plain(value) if to_dict is None else to_dict()
