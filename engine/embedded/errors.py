"""What can stop the bundled model from being made, in a sentence for the person who asked for it."""


class EmbeddedModelError(Exception):
    """The bundled model cannot be made or is not what its manifest says."""
