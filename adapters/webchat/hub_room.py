"""A room with somebody in it, as the hub knows it."""

from adapters.webchat.live import Growing, RoomLive
from adapters.webchat.pump import Pump
from adapters.webchat.relay import Relay
from adapters.webchat.rooms import RoomState


class HubRoom:
    """A room with somebody in it: passing state only, what must last is in the house."""

    def __init__(self, state: RoomState, last: int, growing: Growing) -> None:
        self.state = state
        self.relay = Relay(state.id, last)
        self.live = RoomLive(state.id, growing)
        self.pumps: set[Pump] = set()
        #: Whether the store holds entries that the relay does not.
        self.is_stale = False

    def may_hear(self, pump: Pump) -> bool:
        """Tell whether a connection is seated here, and its person a member at this moment."""
        return self.state.id in pump.cursors and pump.person in self.state.members

    def begin_anew(self, growing: Growing) -> None:
        """Let go of everything that is at hand: what was said, and what was being answered."""
        self.relay = Relay(self.state.id, self.relay.last)
        answering, self.live = self.live.answering, RoomLive(self.state.id, growing)
        self.live.answering = answering
