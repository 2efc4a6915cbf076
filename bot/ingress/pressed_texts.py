"""What is said over a button that somebody pressed: to that person alone, in a few words."""

from typing import Final

STOPPING: Final = "Stopping."
STOPPED: Final = "Stopped."
FINISHED: Final = "It is finished already."
AGAIN: Final = "Trying again."
AGAIN_ALREADY: Final = "I am at it already."
NOT_AGAIN: Final = "There is nothing to try again here."
REFUSED: Final = "Not now: see what I write in the chat."
ASKER_ONLY: Final = "Only the person who asked can have this tried again."
OFF: Final = "I am switched off in this chat."
RATED: Final = "Thank you, noted."
RATED_ALREADY: Final = "That is noted already."
NOT_RATED: Final = "There is no answer to rate yet."
#: Its words went with their time, or somebody had them forgotten.
UNKNOWN: Final = "I no longer have what this was about. Please ask again."
