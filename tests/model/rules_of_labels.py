"""Rules: keys are described, tagged, and called by aliases, also where an alias is not taken."""

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import rule
from model.key import Members
from model.machine import KEYS, Machine

ALIASES = st.sampled_from(["alias/a", "alias/b/c"])
CHANGES_OF_AN_ALIAS = st.sampled_from(["create_alias", "update_alias", "create_alias", "delete_alias"])
TAGS = st.lists(
    st.tuples(st.sampled_from(["a", "A", "b c", "d", "aws", "AwS:x"]), st.sampled_from(["", "1"])),
    min_size=1,
    max_size=2,
)
BY_ALIAS: Any = st.sampled_from(
    [
        ("describe_key", {}),
        ("encrypt", {"plaintext": b"by alias"}),
        ("generate_data_key", {"key_spec": "AES_256"}),
        ("decrypt", {"dry_run": True, "dry_run_modifiers": ["IGNORE_CIPHERTEXT"]}),
        ("enable_key", {}),
        ("schedule_key_deletion", {}),
        ("delete_imported_key_material", {}),
        ("list_key_rotations", {}),
        ("list_resource_tags", {}),
        ("list_aliases", {}),
    ]
)


class Labelling(Machine):
    """What keys are called."""

    @rule(key=KEYS, description=st.sampled_from(["", "for payroll"]))
    def describe(self, key: str, description: str) -> None:
        self.call("update_key_description", key_id=key, description=description)

    @rule(name=ALIASES, change=CHANGES_OF_AN_ALIAS, key=KEYS)
    def change_alias(self, name: str, change: str, key: str) -> None:
        target = {} if change == "delete_alias" else {"target_key_id": key}
        self.call(change, alias_name=name, **target)
        self.call("list_aliases", key_id=key)

    @rule(name=ALIASES, by_alias=BY_ALIAS, as_arn=st.booleans())
    def call_by_alias(self, name: str, by_alias: tuple[str, Members], *, as_arn: bool) -> None:
        operation, members = by_alias
        prefix = "arn:aws:kms:us-east-1:000000000000:" if as_arn else ""
        self.call(operation, key_id=prefix + name, **members)

    @rule(key=KEYS, tags=TAGS, remove=st.booleans())
    def tag(self, key: str, tags: list[tuple[str, str]], *, remove: bool) -> None:
        if remove:
            self.call("untag_resource", key_id=key, tag_keys=[name for name, _ in tags])
        else:
            entries = [{"tag_key": name, "tag_value": value} for name, value in tags]
            self.call("tag_resource", key_id=key, tags=entries)
        self.call("list_resource_tags", key_id=key)
