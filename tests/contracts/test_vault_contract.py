"""What every vault keeps: it opens what it sealed, at its place, and nothing else."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.chat.aes_vault import AesVault
from bot.chat.key_ring import KeyRing
from bot.chat.memory_vault import EphemeralVault
from bot.chat.vault import Place, SealedField, Vault
from bot.errors import KeyMissing, SealBroken

PLACE = Place(chat="chat-1", item="turn-1", field=SealedField.REPLY)
VAULTS = {
    "aes": AesVault(KeyRing.fresh(), organisation="one"),
    "ephemeral": EphemeralVault(),
}


@pytest.fixture(params=VAULTS.values(), ids=VAULTS.keys())
def vault(request: pytest.FixtureRequest) -> Vault:
    return request.param


@given(text=st.text(st.characters(codec=None)), name=st.sampled_from(sorted(VAULTS)))
def test_opens_what_it_sealed(text: str, name: str):
    """Any text comes back as it was, lone surrogates included."""
    vault = VAULTS[name]
    key = vault.new_key()
    assert vault.open(key, vault.seal(key, text, PLACE), PLACE) == text


def test_the_seal_hides_the_text_and_differs_each_time(vault: Vault):
    key = vault.new_key()
    first, second = (vault.seal(key, "a secret sentence", PLACE) for _ in range(2))
    assert b"secret" not in first
    assert first != second


@pytest.mark.parametrize(
    "moved",
    [
        replace(PLACE, chat="chat-2"),
        replace(PLACE, item="turn-2"),
        replace(PLACE, field=SealedField.PROMPT),
        replace(PLACE, chat="chat-1t", item="urn-1"),
    ],
    ids=["chat", "item", "field", "border"],
)
def test_a_moved_value_does_not_open(vault: Vault, moved: Place):
    """A value opens only where it was sealed, and the error names where it was found."""
    key = vault.new_key()
    blob = vault.seal(key, "text", PLACE)
    with pytest.raises(SealBroken) as caught:
        vault.open(key, blob, moved)
    assert all(part in str(caught.value) for part in (moved.chat, moved.item, moved.field.value))


@pytest.mark.parametrize("name", sorted(VAULTS))
@given(data=st.data())
def test_no_flipped_bit_passes(name: str, data: st.DataObject):
    """A blob with any one bit changed is refused."""
    vault = VAULTS[name]
    key = vault.new_key()
    blob = bytearray(vault.seal(key, "text", PLACE))
    position = data.draw(st.integers(0, len(blob) - 1))
    blob[position] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(SealBroken):
        vault.open(key, bytes(blob), PLACE)


@pytest.mark.parametrize("name", sorted(VAULTS))
@given(data=st.data())
def test_no_truncated_blob_passes(name: str, data: st.DataObject):
    vault = VAULTS[name]
    key = vault.new_key()
    blob = vault.seal(key, "some text", PLACE)
    with pytest.raises(SealBroken):
        vault.open(key, blob[: data.draw(st.integers(0, len(blob) - 1))], PLACE)


@pytest.mark.parametrize("name", sorted(VAULTS))
@given(data=st.data())
def test_no_damaged_wrapped_key_passes(name: str, data: st.DataObject):
    """A wrapped key with a changed bit, or cut short, opens and seals nothing."""
    vault = VAULTS[name]
    key = bytearray(vault.new_key())
    blob = vault.seal(bytes(key), "text", PLACE)
    if data.draw(st.booleans()):
        key[data.draw(st.integers(0, len(key) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    else:
        del key[data.draw(st.integers(0, len(key) - 1)) :]
    with pytest.raises((SealBroken, KeyMissing)):
        vault.open(bytes(key), blob, PLACE)


def test_another_chats_key_does_not_open(vault: Vault):
    blob = vault.seal(vault.new_key(), "text", PLACE)
    with pytest.raises(SealBroken):
        vault.open(vault.new_key(), blob, PLACE)


def test_a_missing_key_is_named(vault: Vault):
    """A key wrapped by another ring names the id of the key that is not here."""
    other = KeyRing.fresh()
    key = AesVault(other, organisation="one").new_key()
    with pytest.raises(KeyMissing, match=other.current):
        vault.seal(key, "text", PLACE)


def test_an_older_epoch_still_opens():
    """Data keys wrapped under an older epoch work as long as that epoch's key is in the ring."""
    old, new = KeyRing.fresh(), KeyRing.fresh()
    key = AesVault(old, organisation="one").new_key()
    blob = AesVault(old, organisation="one").seal(key, "text", PLACE)
    both = KeyRing(current=new.current, keys={**old.keys, **new.keys})
    assert AesVault(both, organisation="one").open(key, blob, PLACE) == "text"


def test_organisations_do_not_open_each_others_values():
    ring = KeyRing.fresh()
    key = AesVault(ring, organisation="one").new_key()
    with pytest.raises(SealBroken):
        AesVault(ring, organisation="two").seal(key, "text", PLACE)
