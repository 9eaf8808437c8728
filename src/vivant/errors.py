"""The one exception tree: every failure a user can cause is one clear sentence.

``exit_code`` is what the command line returns: 2 where other arguments would help,
1 where the work itself failed.
"""

from __future__ import annotations


class VivantError(Exception):
    """Something failed; the message is a sentence that names the input and the way out."""

    exit_code = 1


class UsageError(VivantError):
    """The request cannot be meant as given: other arguments would help."""

    exit_code = 2


class UnsupportedControl(UsageError):
    """A control that the chosen model cannot honour; never dropped in silence."""


class MediaError(VivantError):
    """A picture or video that cannot be decoded or encoded."""


class FieldFileError(VivantError):
    """A ``.vivant`` motion field file that is damaged, foreign or too new."""


class BundleError(VivantError):
    """A model bundle that is missing, damaged or does not fit this version."""


class ProvenanceError(VivantError):
    """Signing or reading credentials failed."""


class PolicyError(UsageError):
    """The policy does not let the request run or the result leave."""


class Cancelled(VivantError):
    """The work was stopped from outside; nothing is left behind."""

    exit_code = 130
