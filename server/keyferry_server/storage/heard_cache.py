"""What was read last, in memory, as long as every change of it is heard: keys, callers' rights, access keys.

1. It is filled only while a session listens, and only by reads that began while it
   listened and during which no change of the same name was heard.
2. A change that is heard takes the name out, with all that is kept beside it. A change
   that this server itself commits takes it out before the change is answered.
3. It is used only while its lease runs. Whoever listens renews the lease each time
   that all changes committed up to then have been heard (``background.invalidation``).
4. When a session begins to listen it is empty: what happened before was not heard.
5. What is heard of a key is its key ID. Keys of several Regions have the same one, and
   are here each for itself; a change of one takes all of them out.
6. Its size is a bound of its memory: a long policy and each grant count as more things.
   What would be a large part of all is not kept: it pushed out everything else.

So a change is unknown here for as long as its notification travels, and for no
longer than one lease if it never arrives. Nothing in it is a decision: the state
of a key, its expiry and the caller's permission are derived from it at every use.
"""

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from keyferry_server.domain.identifiers import KeyIdentifier

# What a thing is found by; a principal and an access key by the name that is heard when they change.
Place = str | KeyIdentifier

ANY_NAME = "*"
_MOST_BESIDE = 256
_LARGEST_SHARE = 8
_TEXT_OF_ONE = 4096

# One that goes on while the machine sleeps, where there is one.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def seconds_now() -> float:
    """Return the time that leases are measured in, in seconds since whenever."""
    return time.clock_gettime(_CLOCK)


def name_of(place: Place) -> str:
    """Return what is heard when something of a place is changed."""
    return place if isinstance(place, str) else place.key_id


def weight_of(*texts: str | None) -> int:
    """Return as how many things something counts that holds these texts."""
    return 1 + sum(len(text or "") for text in texts) // _TEXT_OF_ONE


@dataclass(slots=True)
class _Entry:
    value: Any
    weight: int
    beside: dict[Hashable, Any] = field(default_factory=dict)
    weight_beside: int = 0
    links: list[Hashable] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Reading:
    """A read from the database, under way; what it gives is `put` if it is still true."""

    is_stale: bool


class HeardCache:
    """Things of a weight of `size` at most, the least recently used leave first; of no use while nobody listens."""

    def __init__(self, size: int, now: Callable[[], float] = seconds_now) -> None:
        self.size = size
        self._now = now
        self._entries: OrderedDict[Place, _Entry] = OrderedDict()
        self._places: dict[str, list[Place]] = {}
        self._links: dict[Hashable, Place] = {}
        self._readings: dict[str, set[Reading]] = {}
        self._weight = 0
        self.is_heard = False
        self.heard_until = 0.0
        self._usable_until = 0.0
        self.hits = self.misses = 0

    def __len__(self) -> int:
        return len(self._entries)

    @property
    def is_usable(self) -> bool:
        """Tell whether the lease runs."""
        return self._now() < self._usable_until

    def get(self, place: Place) -> Any:
        """Return what is here in a place and may be used; None if nothing."""
        entry = self._entries.get(place)
        if entry is None or self._now() >= self._usable_until:
            self.misses += 1
            return None
        self._entries.move_to_end(place)
        self.hits += 1
        return entry.value

    def linked(self, link: Hashable) -> Place | None:
        """Return the place that `link` leads to."""
        return self._links.get(link)

    def places(self, name: str) -> Sequence[Place]:
        """Return where something of a name is."""
        return tuple(self._places.get(name, ()))

    def beside(
        self, place: Place, is_meant: Callable[[Any], bool] = lambda _: True
    ) -> dict[Hashable, Any] | None:
        """Return what is kept beside a thing for as long as it is here itself.

        None if it is not here, may not be used, or is not the one that is meant. What is
        read from the database to be kept there is read after this call: a change that is
        heard meanwhile takes out what this returned.
        """
        entry = self._entries.get(place)
        if entry is None or self._now() >= self._usable_until or not is_meant(entry.value):
            return None
        if len(entry.beside) >= _MOST_BESIDE:
            entry.beside.clear()
            self._weight -= entry.weight_beside
            entry.weight_beside = 0
        return entry.beside

    def keep_beside(
        self, place: Place, beside: dict[Hashable, Any], name: Hashable, value: Any, weight: int
    ) -> None:
        """Keep something of a weight in what `beside` returned for a place, unless that gets too heavy."""
        entry = self._entries.get(place)
        if entry is None or entry.beside is not beside or name in beside:
            return
        if entry.weight_beside + weight > self.size // _LARGEST_SHARE:
            return
        beside[name] = value
        entry.weight_beside += weight
        self._weight += weight
        self._make_room()

    @contextmanager
    def reading(self, name: str) -> Iterator[Reading]:
        """Watch for changes of a name while it is read; `ANY_NAME` for one that is not known before."""
        reading = Reading(is_stale=not self.is_heard or not self.size)
        others = self._readings.setdefault(name, set())
        others.add(reading)
        try:
            yield reading
        finally:
            others.discard(reading)
            if not others and self._readings.get(name) is others:
                del self._readings[name]

    def put(
        self, place: Place, value: Any, reading: Reading, link: Hashable = None, *, weight: int = 1
    ) -> None:
        """Keep what a read of its name gave, unless something was heard meanwhile; `link` leads to it from now on."""
        if reading.is_stale:
            return
        known = self._entries.pop(place, None)
        if known is None:
            self._places.setdefault(name_of(place), []).append(place)
        else:
            self._weight -= known.weight + known.weight_beside
        # What led here still does: nothing was heard since. A key with two aliases keeps both.
        entry = self._entries[place] = _Entry(value, weight, links=[] if known is None else known.links)
        self._weight += weight
        if link is not None and link not in entry.links:
            entry.links.append(link)
            self._links[link] = place
        self._make_room()

    def forget(self, name: str) -> None:
        """Take out what was changed; reads of it that are under way are not kept."""
        for place in self.places(name):
            self._take_out(place)
        for affected in (name, ANY_NAME):
            for reading in self._readings.get(affected, ()):
                reading.is_stale = True

    def forget_all(self) -> None:
        """Take everything out, as if all had been changed."""
        self._entries.clear()
        self._weight = 0
        self._places.clear()
        self._links.clear()
        for readings in self._readings.values():
            for reading in readings:
                reading.is_stale = True

    def begin(self) -> None:
        """Start anew, empty: from now on every change is heard."""
        self.is_heard = True
        self._usable_until = 0.0
        self.forget_all()

    def renew(self, heard_until: float, usable_for: float) -> None:
        """All that was committed up to a moment has been heard: use the cache for so many seconds from then."""
        self.heard_until = heard_until
        self._usable_until = heard_until + usable_for

    def lose(self) -> None:
        """Nothing is heard any more: of no use from now on."""
        self.stop_filling()
        self._usable_until = 0.0
        self.forget_all()

    def stop_filling(self) -> None:
        """Nothing is heard any more: what is here may be used until the lease ends, and nothing is added."""
        self.is_heard = False
        for readings in self._readings.values():
            for reading in readings:
                reading.is_stale = True

    def _make_room(self) -> None:
        while self._weight > self.size:
            self._take_out(next(iter(self._entries)))

    def _take_out(self, place: Place) -> None:
        entry = self._entries.pop(place)
        self._weight -= entry.weight + entry.weight_beside
        name = name_of(place)
        self._places[name].remove(place)
        if not self._places[name]:
            del self._places[name]
        for link in entry.links:
            if self._links.get(link) == place:
                del self._links[link]
