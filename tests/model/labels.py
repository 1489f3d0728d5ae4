"""The model of what keys are called: descriptions, aliases, tags."""

from dataclasses import dataclass
from datetime import datetime

from model.key import Key, Members, all_of, refuse_if
from model.lifecycle import Lifecycle


@dataclass(eq=False)
class Alias:
    """A name of one key."""

    key: Key
    created: datetime
    updated: datetime


class Labels(Lifecycle):
    """Aliases vanish with their key, and are accepted where AWS says."""

    def update_key_description(self, asked: Members, told: Members) -> Members:
        self.admitted("UpdateKeyDescription", asked["key_id"]).description = asked["description"]
        return {}

    def create_alias(self, asked: Members, told: Members) -> Members:
        name, now = asked["alias_name"], self.clock.now()
        key, _ = all_of(
            lambda: self.admitted("CreateAlias", asked["target_key_id"]),
            lambda: refuse_if(name in self.aliases, "AlreadyExistsException", says=name),
        )
        self.aliases[name] = Alias(key, now, now)
        return {}

    def update_alias(self, asked: Members, told: Members) -> Members:
        alias, key = all_of(
            lambda: self._alias(asked["alias_name"]),
            lambda: self.admitted("UpdateAlias", asked["target_key_id"]),
        )
        alias.key, alias.updated = key, self.clock.now()
        return {}

    def delete_alias(self, asked: Members, told: Members) -> Members:
        self._alias(asked["alias_name"])
        del self.aliases[asked["alias_name"]]
        return {}

    def list_aliases(self, asked: Members, told: Members) -> Members:
        only = self.named("ListAliases", asked["key_id"]) if "key_id" in asked else None
        entries = [
            {
                "alias_name": name,
                "alias_arn": f"arn:aws:kms:us-east-1:000000000000:{name}",
                "target_key_id": alias.key.key_id,
                "creation_date": alias.created,
                "last_updated_date": alias.updated,
            }
            for name, alias in sorted(self.aliases.items())
            if only in {None, alias.key}
        ]
        return {"truncated": False} | ({"aliases": entries} if entries else {})

    def tag_resource(self, asked: Members, told: Members) -> Members:
        names = [one["tag_key"] for one in asked["tags"]]
        key, _ = all_of(
            lambda: self.admitted("TagResource", asked["key_id"]),
            lambda: refuse_if(len(set(names)) < len(names) or self._is_reserved(names), "TagException"),
        )
        key.tags |= {one["tag_key"]: one["tag_value"] for one in asked["tags"]}
        return {}

    def untag_resource(self, asked: Members, told: Members) -> Members:
        names = asked["tag_keys"]
        key, _ = all_of(
            lambda: self.admitted("UntagResource", asked["key_id"]),
            lambda: refuse_if(self._is_reserved(names), "TagException"),
        )
        key.tags = {name: value for name, value in key.tags.items() if name not in names}
        return {}

    def list_resource_tags(self, asked: Members, told: Members) -> Members:
        key = self.admitted("ListResourceTags", asked["key_id"])
        tags = [{"tag_key": name, "tag_value": value} for name, value in sorted(key.tags.items())]
        return {"truncated": False} | ({"tags": tags} if tags else {})

    def reap(self) -> None:
        super().reap()
        self.aliases = {name: one for name, one in self.aliases.items() if one.key.key_id in self.keys}

    def _alias(self, name: str) -> Alias:
        refuse_if(name not in self.aliases, "NotFoundException", says=f":{name} is not found.")
        return self.aliases[name]

    def _is_reserved(self, names: list[str]) -> bool:
        return any(name.lower().startswith("aws:") for name in names)
