"""A server's password beside its URL: given apart so that it can be a file, put into the URL where it is used."""

from urllib.parse import quote, urlsplit, urlunsplit

from pydantic import SecretStr


def with_password(url: str, password: str) -> str:
    """Put a password into a URL that has none; without a password the URL stays as it is."""
    if not url or not password:
        return url
    parts = urlsplit(url)
    user, _, server = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user}:{quote(password, safe='')}@{server}"))


def password_complaints(section: str, url: SecretStr, password: SecretStr) -> list[str]:
    """Say what is wrong with a password beside this URL, in sentences that quote neither."""
    if not password.get_secret_value():
        return []
    parts = urlsplit(url.get_secret_value())
    if not parts.scheme:
        return [f"{section}.password is set, but {section}.url is not: set the URL, or remove the password."]
    if parts.scheme.startswith("sqlite"):
        return [
            f"{section}.password is set, but {section}.url is SQLite, which has none: remove the password."
        ]
    if parts.password is not None:
        return [f"Both {section}.password and a password in {section}.url are set. Keep one."]
    if section == "database" and not parts.username:
        return [
            f"{section}.password is set, but {section}.url names no user: write postgresql://USER@HOST/NAME."
        ]
    return []
