"""What the application keeps: the studies' ledgers and projections through the library's stores, and beside them
drafts, identities and work to do in Django's own tables. Screens never come here; the shell does."""
