"""The payload's code: two words of the extended binary Golay code, decoded by maximum likelihood.

M. J. E. Golay, "Notes on digital coding", 1949: 12 bits in 24, least distance 8, so that any 3
wrong bits of a word are put right, and any 4 are noticed. With 4,096 codewords the best one is
found by comparing with all of them, on soft values.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from vivant.clip import Floats

WORDS = 2
DATA, LENGTH = 12, 24
BITS = WORDS * LENGTH
VERSION_BITS, IDENTIFIER_BITS = 4, 20
VERSION = 1
_GENERATOR = 0b110001110101  # x^11 + x^10 + x^6 + x^5 + x^4 + x^2 + 1 divides x^23 - 1


@dataclass(frozen=True)
class Payload:
    """What the mark says: ``version`` 0..15 and ``identifier`` 0..2^20 - 1. ``margin`` is the
    distance to the second-best reading in standard deviations of the noise, the least of the
    words."""

    version: int
    identifier: int
    margin: float = np.inf


@cache
def codewords() -> NDArray[np.float32]:
    """All codewords as signs ``[4096, 24]``, -1 for a 1; the row is the 12 data bits."""
    words = [_word(data) for data in range(1 << DATA)]
    bits = np.array(words)[:, None] >> np.arange(LENGTH - 1, -1, -1) & 1
    return (1 - 2 * bits).astype(np.float32)


def _word(data: int) -> int:
    """Data, remainder of the division by the generator, parity: 12 + 11 + 1 bits."""
    rest = data << 11
    for bit in range(22, 10, -1):
        if rest >> bit & 1:
            rest ^= _GENERATOR << (bit - 11)
    word = data << 11 | rest
    return word << 1 | word.bit_count() & 1


def encode(identifier: int, version: int = VERSION) -> Floats:
    """The 48 signs of a payload. Raises ValueError for numbers that do not fit."""
    if not 0 <= identifier < 1 << IDENTIFIER_BITS or not 0 <= version < 1 << VERSION_BITS:
        raise ValueError(f"version {version}, identifier {identifier} do not fit the payload")
    number = version << IDENTIFIER_BITS | identifier
    return np.concatenate([codewords()[number >> DATA], codewords()[number & 0xFFF]])


def decode(soft: Floats) -> Payload:
    """The likeliest payload of 48 soft values of any scale, whose noise has deviation 1."""
    scores = np.asarray(soft, np.float32).reshape(WORDS, LENGTH) @ codewords().T
    best = scores.argmax(axis=1)
    top = np.sort(scores, axis=1)[:, -2:]
    number = int(best[0]) << DATA | int(best[1])
    # the nearest other codeword differs in 8 signs: its score differs by 2 * sum of 8 values
    margin = float((top[:, 1] - top[:, 0]).min()) / (2 * np.sqrt(8))
    return Payload(number >> IDENTIFIER_BITS, number & (1 << IDENTIFIER_BITS) - 1, margin)
