"""The options that choose what engine is started here. They are settings, said on the command line."""

from argparse import ArgumentParser

from bot.errors import SettingsError
from bot.settings import LoadedSettings

#: By the option's name among the parsed arguments, the setting's.
ENGINE_SETTINGS = {"profile": "engine.profile", "model": "engine.weights"}


def add_engine_options(parser: ArgumentParser) -> None:
    """Declare `--profile` and `--model`."""
    group = parser.add_argument_group("which engine")
    group.add_argument(
        "--profile", metavar="NAME", help="a model on given hardware: `aside profiles` lists them"
    )
    group.add_argument(
        "--model",
        metavar="PATH_OR_ID",
        help="load this instead of the profile's model: a folder with config.json, or, for GPUs, a Hugging Face id",
    )


def refuse_two_engines(loaded: LoadedSettings) -> None:
    """Raise `SettingsError` where an option asks for an engine here, and a setting names one elsewhere."""
    if not loaded.settings.engine.url:
        return
    for setting in ENGINE_SETTINGS.values():
        origin = loaded.origins.get(setting, "")
        if origin.startswith("option "):
            raise SettingsError(
                f"{origin.removeprefix('option ')} starts an engine here, but engine.url "
                f"({loaded.origins['engine.url']}) names one that runs elsewhere: give one of the two."
            )
