"""Which process is stopped where, how, and on which class of platform."""

from collections.abc import Iterator
from typing import Final

from adapters.registry import PlatformClass
from tests.await_points.gate import How
from tests.await_points.scenes import Case, Scene
from tests.await_points.steps import CLAIMED_AND_TOLD, PART, SIGN, SIGNED, STEPS, UNTOUCHED

#: Where the class of the platform makes a difference: from the word that something is sent to the word that it was.
_BY_CLASS: Final[dict[Scene, tuple[str, ...]]] = {
    Scene.PLAIN: PART,
    Scene.LIVE: SIGNED,
    Scene.NOTICE: CLAIMED_AND_TOLD,
    Scene.SIGN: SIGN,
}
#: Scenes that are like another one up to a step, where they begin to differ, and again from another one on.
_NEW_FROM: Final = {
    Scene.PARTS: "before journal.start_part #2",
    Scene.LIVE: "before platform.send",
    Scene.FAILING: "before journal.fail",
    Scene.STARTING: "before journal.release",
    Scene.EXPIRED: "before journal.give_up",
    Scene.CANCELLED: "engine closed",
    Scene.SIGN: "before journal.sign_claim",
}
_KNOWN_FROM: Final = {
    Scene.PARTS: "before journal.finish",
    Scene.CANCELLED: "before journal.claim_notice_of",
}


def cases() -> Iterator[Case]:
    """List every case."""
    for scene, steps in STEPS.items():
        begin = steps.index(_NEW_FROM.get(scene, steps[0]))
        end = steps.index(_KNOWN_FROM[scene]) if scene in _KNOWN_FROM else len(steps)
        for at in range(begin, end):
            if steps[at] not in UNTOUCHED:
                for platform_class in _classes(scene, steps[at]):
                    for how in _hows(steps, at):
                        yield Case(scene=scene, platform_class=platform_class, how=how, step=steps[at])


def _classes(scene: Scene, step: str) -> tuple[PlatformClass, ...]:
    """Every class where it makes a difference; elsewhere the one that forgives least."""
    if scene.owned:
        return (PlatformClass.A,)
    return tuple(PlatformClass) if step in _BY_CLASS.get(scene, ()) else (PlatformClass.C,)


def _hows(steps: tuple[str, ...], at: int) -> tuple[How, ...]:
    """Both ways; but where one call returns and the next begins the world is the same: one way at each of them."""
    if _is_between(steps, at - 1):
        return (How.STOP,)
    return (How.KILL,) if _is_between(steps, at) else tuple(How)


def _is_between(steps: tuple[str, ...], at: int) -> bool:
    """Whether nothing happens between a step and its follower; a platform is only called after a look at the lease."""
    if not 0 <= at < len(steps) - 1 or not steps[at].startswith("after "):
        return False
    following = steps[at + 1]
    return following.startswith("before ") and not following.startswith("before platform.")


CASES: Final = tuple(cases())
