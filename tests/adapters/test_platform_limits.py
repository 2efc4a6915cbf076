"""The buckets of each platform hold what it allows, and leave a reply of some parts room at once."""

import pytest

from adapters.pacing import PacingScope, Priority
from adapters.telegram import limits as telegram
from adapters.twilio import limits as twilio


@pytest.mark.parametrize(
    ("buckets", "scopes"),
    [
        pytest.param(
            telegram.buckets(is_group=True), [PacingScope.CONVERSATION, PacingScope.ACCOUNT], id="group"
        ),
        pytest.param(
            telegram.buckets(is_group=False), [PacingScope.CONVERSATION, PacingScope.ACCOUNT], id="direct"
        ),
        pytest.param(twilio.buckets(is_whatsapp=True), [PacingScope.ACCOUNT], id="whatsapp"),
        pytest.param(twilio.buckets(is_whatsapp=False), [PacingScope.ACCOUNT], id="sms"),
    ],
)
def test_whose_calls_are_counted(buckets, scopes):
    assert [bucket.scope for bucket in buckets] == scopes


def test_a_group_is_written_to_twenty_times_a_minute_at_most():
    assert (telegram.GROUP.count, telegram.GROUP.per_s) == (20, 60)


@pytest.mark.parametrize("bucket", [telegram.GROUP, telegram.DIRECT], ids=["group", "direct"])
def test_a_final_text_has_room_beyond_the_edits(bucket):
    assert bucket.slack_us(Priority.FINAL) > bucket.slack_us(Priority.EDIT)


def test_an_operator_may_name_another_rate():
    (bucket,) = twilio.buckets(is_whatsapp=False, per_s=100)
    assert bucket.count == 100
