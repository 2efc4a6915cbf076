"""Settings: frozen sections, read once from the command line, `ASIDE_*`, secret files and `aside.toml`."""

from bot.settings.data_directory import DataDirectory
from bot.settings.load import Effective, LoadedSettings, load_settings
from bot.settings.model import Settings

__all__ = ["DataDirectory", "Effective", "LoadedSettings", "Settings", "load_settings"]
