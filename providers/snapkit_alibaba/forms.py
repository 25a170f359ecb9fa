"""What the service documents as data: forms of texts, and what it does not offer and why."""

from collections.abc import Mapping

from snapkit.driver import Capability
from snapkit.rules import Rules, TextRule

__all__ = ["REFUSALS", "RULES", "STOPPED"]

_LINKS = ("http://", "https://")
_LETTER_FIRST = r"[^\W\d_][\w:.\-]*"
_SAYS = "must start with a letter and hold only letters, digits and any of . _ - :"

RULES = Rules(
    # The word is the service's own for what its policies make; whether "Auto" is refused
    # too is not said, so only the lower-case form is.
    name=TextRule(
        shortest=2,
        longest=128,
        pattern=rf"(?!auto){_LETTER_FIRST}",
        says=f"{_SAYS}, and must not start with 'auto'",
        forbidden_starts=_LINKS,
    ),
    group_name=TextRule(
        shortest=2,
        longest=128,
        pattern=_LETTER_FIRST,
        says=_SAYS,
        forbidden_starts=_LINKS,
    ),
    disk_name=TextRule(
        shortest=2,
        longest=128,
        pattern=_LETTER_FIRST,
        says=_SAYS,
        forbidden_starts=_LINKS,
    ),
    description=TextRule(
        longest=256,
        pattern=r"(?s:|.{2,})",
        says="must be empty or have at least 2 characters",
        forbidden_starts=_LINKS,
    ),
    tag_key=TextRule(
        shortest=1, longest=128, forbidden_starts=("aliyun", "acs:"), forbidden_parts=_LINKS
    ),
    tag_value=TextRule(longest=128, forbidden_starts=("acs:",), forbidden_parts=_LINKS),
    tags=20,
)

REFUSALS: Mapping[Capability, str] = {
    Capability.DERIVED_GROUPS: "the service keeps groups itself; list those",
    Capability.CHOOSE_KIND: (
        "the service decides what it stores, and every snapshot restores on its own;"
        " leave the choice away"
    ),
    Capability.SHARE: (
        "sharing belongs to another product, Resource Sharing of Resource Management;"
        " share it there"
    ),
}

STOPPED = (
    "this adapter neither stops nor starts instances; stop the instance in ECS,"
    " roll back, and start it again"
)
"""Why a rollback cannot stop the instance by itself."""
