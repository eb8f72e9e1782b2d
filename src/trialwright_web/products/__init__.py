"""Injections as everybody may see them, and what the site does: gate, collection, request, authorisation."""
