"""Consent: both sign, on the version approved for the site; withdrawal by scope; re-consent."""
