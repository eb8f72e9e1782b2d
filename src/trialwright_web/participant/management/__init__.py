"""Commands of the participants' pages."""
