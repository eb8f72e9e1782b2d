"""Tokens of the API, as screens use them."""

from trialwright_web.store.tokens import LONGEST, find_token, make_token, revoke_token, tokens_of

__all__ = ["LONGEST", "find_token", "make_token", "revoke_token", "tokens_of"]
