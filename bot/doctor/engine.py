"""Check of the engine: the embedded one's files, what another profile needs, or the server behind `engine.url`."""

import json
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from bot.doctor.finding import Finding, fail, ok
from bot.errors import StartupError
from bot.launching import require_launchable
from bot.settings import Settings
from engine.embedded.manifest import is_complete

TIMEOUT_S = 5.0
HTTP_UNAUTHORIZED, HTTP_FORBIDDEN = 401, 403


def check_engine(settings: Settings) -> Finding:
    """Check the engine that these settings name."""
    if settings.engine.url:
        return check_remote(settings)
    return check_embedded(settings) if settings.embedded_model_answers else check_profile(settings)


def check_profile(settings: Settings) -> Finding:
    """Look for what a profile of a real model needs: GPUs, an environment, the model."""
    try:
        profile = require_launchable(settings).profile
    except StartupError as exc:
        return fail("engine", str(exc), "`aside profiles` lists what each profile needs")
    return ok("engine", f"profile {profile.name}, {profile.model}")


def check_embedded(settings: Settings) -> Finding:
    """Look for the engine's environment and the embedded model."""
    data = settings.data
    if not (settings.engine.python or data.engine_python).exists():
        return fail("engine", f"its environment is missing: {data.engine_env}", "Run `make setup`")
    if not is_complete(data.embedded_model):
        return fail(
            "engine", f"the embedded model is missing or incomplete: {data.embedded_model}", "Run `make run`"
        )
    return ok("engine", "embedded, profile embedded")


def check_remote(settings: Settings) -> Finding:
    """Ask an engine that runs elsewhere which models it serves."""
    url = settings.engine.url.removesuffix("/v1") + "/v1/models"
    request = Request(url)  # noqa: S310 - the setting allows http and https only
    if settings.engine.api_key:
        request.add_header("Authorization", f"Bearer {settings.engine.api_key.get_secret_value()}")
    try:
        with urlopen(request, timeout=TIMEOUT_S) as response:  # noqa: S310 - likewise
            models = [str(model["id"]) for model in json.load(response)["data"]]
    except HTTPError as exc:
        return _refused(settings.engine.url, exc.code)
    except (OSError, ValueError, KeyError, TypeError) as exc:
        return fail(
            "engine",
            f"{settings.engine.url} does not answer ({type(exc).__name__})",
            "Start that engine, or mend ASIDE_ENGINE_URL",
        )
    return judge_models(settings.engine.url, settings.engine.model, models)


def judge_models(url: str, wanted: str, served: list[str]) -> Finding:
    """Compare the model in the settings with those served."""
    if wanted and wanted not in served:
        named = ", ".join(served) or "none"
        return fail("engine", f"{url} does not serve {wanted}", f"Set engine.model to one of: {named}")
    if not served:
        return fail("engine", f"{url} serves no model", "Load a model there")
    return ok("engine", f"{url} serves {wanted or served[0]}")


def _refused(url: str, status: int) -> Finding:
    if status in (HTTP_UNAUTHORIZED, HTTP_FORBIDDEN):
        return fail("engine", f"{url} does not accept the key", "Mend ASIDE_ENGINE_API_KEY")
    return fail("engine", f"{url} answers with status {status}", "It must speak the OpenAI API, as vLLM does")
