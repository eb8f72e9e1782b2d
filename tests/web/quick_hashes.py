"""Passwords that are hashed in a moment: hundreds of sign-ins would otherwise take minutes, as they are meant to.

``test_sign_in.py`` uses the application as it is, and says how strong its hashes are.
"""

from __future__ import annotations

from django.contrib.auth.hashers import Argon2PasswordHasher


def quicken(hasher: Argon2PasswordHasher | type[Argon2PasswordHasher]) -> None:
    """Let a hasher, or every one of this process, take as little time and memory as Argon2 allows."""
    hasher.time_cost, hasher.memory_cost, hasher.parallelism = 1, 8, 1


def quick_hash(password: str) -> str:
    """A password's hash, by a hasher that was quickened."""
    hasher = Argon2PasswordHasher()
    quicken(hasher)
    return hasher.encode(password, hasher.salt())
