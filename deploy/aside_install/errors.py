"""What stops an installation, in a sentence that says what to do."""


class InstallError(Exception):
    """Something is missing or failed; the text is for the person who installs."""


class VersionNotFound(InstallError):
    """The configured package sources do not have a pinned version."""
