"""How far it is, in a straight line: a first idea of the journey, computed here, asked from nobody."""

from __future__ import annotations

import math
from dataclasses import dataclass

from trialwright.protocol.study import Site

_EARTH_RADIUS = 6371.0088  # mean radius in km, IUGG


@dataclass(frozen=True, slots=True)
class Town:
    """A place to measure from.

    Args:
        name: as people there write it.
        country: ISO 3166 alpha-2.
        latitude, longitude: degrees, WGS 84.
    """

    name: str
    country: str
    latitude: float
    longitude: float


TOWNS = (
    Town("Oslo", "NO", 59.91, 10.75),
    Town("Bergen", "NO", 60.39, 5.32),
    Town("Trondheim", "NO", 63.43, 10.40),
    Town("Stavanger", "NO", 58.97, 5.73),
    Town("Kristiansand", "NO", 58.15, 8.00),
    Town("Ålesund", "NO", 62.47, 6.15),
    Town("Bodø", "NO", 67.28, 14.40),
    Town("Tromsø", "NO", 69.65, 18.96),
    Town("Hammerfest", "NO", 70.66, 23.68),
    Town("Brussels", "BE", 50.85, 4.35),
    Town("Berlin", "DE", 52.52, 13.40),
    Town("Madrid", "ES", 40.42, -3.70),
    Town("Paris", "FR", 48.86, 2.35),
    Town("Rome", "IT", 41.90, 12.50),
    Town("Warsaw", "PL", 52.23, 21.01),
    Town("Stockholm", "SE", 59.33, 18.07),
    Town("Copenhagen", "DK", 55.68, 12.57),
    Town("London", "GB", 51.51, -0.13),
)
"""Towns that readers choose from: larger ones of Norway, and capitals. The first of a country stands for it."""


def town(name: str) -> Town | None:
    """The town of that name, or None."""
    return next((found for found in TOWNS if found.name == name), None)


def distance_km(start: Town, site: Site) -> int | None:
    """Kilometres from a town to a site on the great circle, rounded; None where the site has no coordinates.

    The haversine formula, after R. W. Sinnott, Sky and Telescope 68 (1984), 159.
    """
    if site.latitude is None or site.longitude is None:
        return None
    south, north = math.radians(start.latitude), math.radians(site.latitude)
    across = math.radians(site.longitude - start.longitude)
    half = math.sin((north - south) / 2) ** 2 + math.cos(south) * math.cos(north) * math.sin(across / 2) ** 2
    return round(2 * _EARTH_RADIUS * math.asin(min(1.0, math.sqrt(half))))
