"""What is kept in memory while changes are heard: what may be in it, for how long, and what takes it out."""

import pytest

from keyferry_server.domain.identifiers import KeyIdentifier, Scope
from keyferry_server.storage.heard_cache import ANY_NAME, HeardCache, seconds_now, weight_of

LEASE_ENDS = 100.0


class Seconds:
    """A clock for leases."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def read(cache: HeardCache, name: str, link: str | None = None) -> object:
    """Read from a database in which nothing happens meanwhile."""
    value = object()
    with cache.reading(name) as reading:
        cache.put(name, value, reading, link)
    return value


@pytest.fixture
def seconds() -> Seconds:
    return Seconds()


@pytest.fixture
def cache(seconds: Seconds) -> HeardCache:
    """A cache of two keys whose changes are heard."""
    cache = HeardCache(2, seconds)
    cache.begin()
    cache.renew(0, LEASE_ENDS)
    return cache


def test_a_key_that_was_read_is_there(cache: HeardCache) -> None:
    key = read(cache, "one")
    assert cache.get("one") is key
    assert cache.get("other") is None
    assert (cache.hits, cache.misses) == (1, 1)


def test_a_link_leads_to_what_it_was_read_by_until_that_is_changed(cache: HeardCache) -> None:
    with cache.reading(ANY_NAME) as reading:
        cache.put("one", "value", reading, link="alias/one")
    assert cache.linked("alias/one") == "one"
    cache.forget("other")
    assert cache.linked("alias/one") == "one"
    cache.forget("one")
    assert cache.linked("alias/one") is None


def test_a_read_by_link_is_not_kept_if_anything_was_changed_meanwhile(cache: HeardCache) -> None:
    with cache.reading(ANY_NAME) as reading:
        cache.forget("any")
        cache.put("one", "value", reading, link="alias/one")
    assert cache.get("one") is None
    assert cache.linked("alias/one") is None


def test_a_link_that_leads_elsewhere_now_stays_when_the_old_name_is_changed(cache: HeardCache) -> None:
    read(cache, "one", "alias/moved")
    read(cache, "two", "alias/moved")
    cache.forget("one")
    assert cache.linked("alias/moved") == "two"


def test_two_links_lead_to_one_key_until_it_is_changed(cache: HeardCache) -> None:
    read(cache, "one", "alias/one")
    read(cache, "one", "alias/uno")
    assert (cache.linked("alias/one"), cache.linked("alias/uno")) == ("one", "one")
    cache.forget("one")
    assert (cache.linked("alias/one"), cache.linked("alias/uno")) == (None, None)


def test_a_key_that_is_read_again_leaves_what_was_beside_it(cache: HeardCache) -> None:
    read(cache, "one")
    beside = cache.beside("one")
    assert beside is not None
    beside["of"] = "what was read before"
    read(cache, "one")
    assert cache.beside("one") == {}


def test_keys_of_two_regions_are_kept_each_for_itself_and_a_change_of_one_takes_out_both(
    cache: HeardCache,
) -> None:
    here, there = (
        KeyIdentifier(Scope("aws", region, "000000000000"), "mrk-1") for region in ("us-east-1", "eu-west-1")
    )
    of_here, of_there = object(), object()
    for place, value in ((here, of_here), (there, of_there)):
        with cache.reading("mrk-1") as reading:
            cache.put(place, value, reading, link=("alias/one", place.scope))
    assert (cache.get(here), cache.get(there)) == (of_here, of_there)
    assert cache.places("mrk-1") == (here, there)
    assert cache.linked(("alias/one", here.scope)) == here
    beside = cache.beside(here)
    assert beside is not None
    beside["in the clear"] = "of here"
    assert cache.beside(there) == {}

    with cache.reading("mrk-1") as reading:
        cache.forget("mrk-1")
        cache.put(here, of_here, reading)
    assert (cache.get(here), cache.get(there)) == (None, None)
    assert cache.places("mrk-1") == ()
    assert cache.linked(("alias/one", here.scope)) is None


def test_a_region_that_is_crowded_out_leaves_the_other_one(cache: HeardCache) -> None:
    here, there = (
        KeyIdentifier(Scope("aws", region, "000000000000"), "mrk-1") for region in ("us-east-1", "eu-west-1")
    )
    for place in (here, there):
        with cache.reading("mrk-1") as reading:
            cache.put(place, object(), reading)
    read(cache, "other")
    assert cache.places("mrk-1") == (there,)
    cache.forget("mrk-1")
    assert len(cache) == 1


def test_the_least_recently_used_leaves_first(cache: HeardCache) -> None:
    read(cache, "one")
    read(cache, "two")
    cache.get("one")
    read(cache, "three")
    assert len(cache) == 2
    assert cache.get("two") is None
    assert cache.get("one") is not None


def test_a_changed_key_leaves_with_what_is_kept_beside_it(cache: HeardCache) -> None:
    read(cache, "one")
    beside = cache.beside("one")
    assert beside is not None
    beside[b"sealed"] = "in the clear"
    assert cache.beside("one") == {b"sealed": "in the clear"}
    cache.forget("one")
    assert cache.beside("one") is None
    read(cache, "one")
    assert cache.beside("one") == {}


def test_a_read_during_which_a_change_was_heard_is_not_kept(cache: HeardCache) -> None:
    with cache.reading("one") as earlier, cache.reading("two") as other:
        cache.forget("one")
        with cache.reading("one") as later:
            cache.put("one", object(), earlier)
            assert cache.get("one") is None
            cache.put("one", object(), later)
        cache.put("two", object(), other)
    assert cache.get("one") is not None
    assert cache.get("two") is not None


def test_a_change_of_every_key_leaves_nothing(cache: HeardCache) -> None:
    read(cache, "one")
    with cache.reading("two") as reading:
        cache.forget_all()
        cache.put("two", object(), reading)
    assert len(cache) == 0


def test_it_is_of_no_use_from_the_end_of_the_lease_until_it_is_renewed(
    cache: HeardCache, seconds: Seconds
) -> None:
    key = read(cache, "one")
    seconds.now = LEASE_ENDS
    assert not cache.is_usable
    assert cache.get("one") is None
    cache.renew(LEASE_ENDS, 1)
    assert cache.get("one") is key


def test_nothing_is_kept_before_changes_are_heard(seconds: Seconds) -> None:
    cache = HeardCache(2, seconds)
    with cache.reading("one") as too_early:
        cache.begin()
        cache.put("one", object(), too_early)
    cache.renew(0, LEASE_ENDS)
    assert cache.get("one") is None


def test_it_is_empty_once_changes_are_not_heard(cache: HeardCache) -> None:
    read(cache, "one")
    with cache.reading("two") as reading:
        cache.lose()
        cache.put("two", object(), reading)
    read(cache, "three")
    assert len(cache) == 0
    assert not cache.is_usable


def test_kept_for_availability_it_takes_nothing_new_in_and_begins_anew(
    cache: HeardCache, seconds: Seconds
) -> None:
    key = read(cache, "one")
    cache.stop_filling()
    read(cache, "two")
    assert len(cache) == 1
    assert cache.get("one") is key
    seconds.now = LEASE_ENDS
    assert cache.get("one") is None
    cache.begin()
    cache.renew(LEASE_ENDS, 1)
    assert cache.get("one") is None


def test_a_cache_of_no_size_keeps_nothing(seconds: Seconds) -> None:
    cache = HeardCache(0, seconds)
    cache.begin()
    cache.renew(0, LEASE_ENDS)
    read(cache, "one")
    assert len(cache) == 0


@pytest.fixture
def roomy() -> HeardCache:
    made = HeardCache(16)
    made.begin()
    made.renew(seconds_now(), 60)
    return made


def test_what_is_heavy_takes_the_room_of_several(roomy: HeardCache) -> None:
    for number in range(16):
        read(roomy, str(number))
    with roomy.reading("heavy") as reading:
        roomy.put("heavy", object(), reading, weight=weight_of("x" * 4096 * 3))
    assert len(roomy) == 16 - 4 + 1
    roomy.forget("heavy")
    for number in range(16):
        read(roomy, str(number))
    assert len(roomy) == 16


def test_what_is_kept_beside_takes_room_too_and_no_more_than_its_share(roomy: HeardCache) -> None:
    for number in range(16):
        read(roomy, str(number))
    beside = roomy.beside("15")
    assert beside is not None
    roomy.keep_beside("15", beside, "light", object(), weight=2)
    roomy.keep_beside("15", beside, "one too many", object(), weight=1)
    assert list(beside) == ["light"]
    assert len(roomy) == 14
    read(roomy, "15")
    read(roomy, "0")
    read(roomy, "1")
    assert len(roomy) == 16


def test_what_was_read_for_a_thing_that_has_gone_is_not_kept(roomy: HeardCache) -> None:
    read(roomy, "one")
    beside = roomy.beside("one")
    assert beside is not None
    roomy.forget("one")
    read(roomy, "one")
    roomy.keep_beside("one", beside, "late", object(), weight=1)
    assert roomy.beside("one") == {}
