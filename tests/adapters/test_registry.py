"""Manifests: what is found, and how a wrong one is told."""

import pytest

from adapters.base import Idempotency, SendsFrom
from adapters.registry import ManifestError, manifests

GOOD = 'name = "here"\ndescription = "d"\nsends_from = "any"\nclass = "B"\n'


def written(tmp_path, text):
    (tmp_path / "here").mkdir()
    (tmp_path / "here" / "manifest.toml").write_text(text)
    return tmp_path


def test_the_shipped_adapters_are_found():
    found = {manifest.name: manifest for manifest in manifests()}
    assert found["terminal"].sends_from is SendsFrom.OWNER
    assert found["terminal"].platform_class.idempotency is Idempotency.KEYED
    assert "loopback" in found


def test_a_manifest_is_read(tmp_path):
    (manifest,) = manifests(written(tmp_path, GOOD))
    assert (manifest.name, manifest.description) == ("here", "d")
    assert manifest.platform_class.idempotency is Idempotency.READ_BACK


@pytest.mark.parametrize(
    ("text", "why"),
    [
        pytest.param(GOOD.replace("here", "there"), "name is 'there', but its folder is 'here'", id="name"),
        pytest.param(
            GOOD.replace('"any"', '"all"'), "sends_from is 'all'; allowed are any, owner", id="sends_from"
        ),
        pytest.param(GOOD.replace('"B"', '"D"'), "class is 'D'; allowed are A, B, C", id="class"),
        pytest.param(GOOD.replace('"d"', "3"), "description is missing or not a text", id="kind"),
        pytest.param('name = "here"', "description is missing", id="missing"),
        pytest.param(GOOD + "extra = 1", "extra is not a key of a manifest", id="unknown key"),
        pytest.param("name =", "not TOML", id="not TOML"),
    ],
)
def test_a_wrong_manifest_names_the_file_and_the_key(tmp_path, text, why):
    with pytest.raises(ManifestError, match=why) as raised:
        manifests(written(tmp_path, text))
    assert "here/manifest.toml" in str(raised.value)
