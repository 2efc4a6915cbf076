"""A vault whose key lives and dies with the process: for tests and demonstrations."""

from bot.chat.aes_vault import AesVault
from bot.chat.key_ring import KeyRing


class EphemeralVault(AesVault):
    """Seals like the real one, under a random key that nothing keeps."""

    def __init__(self, *, organisation: str = "ephemeral") -> None:
        """Make the key."""
        super().__init__(KeyRing.fresh(), organisation=organisation)
