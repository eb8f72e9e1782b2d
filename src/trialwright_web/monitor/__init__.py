"""Watching: queries across sites, source verification, deviations, metrics of sites, freeze and lock."""
