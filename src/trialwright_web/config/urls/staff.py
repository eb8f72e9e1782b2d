"""Routes of the staff process: the open space."""

from trialwright_web.config.urls.shared import SIGN_IN, handler404, handler500, screens

__all__ = ["handler404", "handler500", "urlpatterns"]

urlpatterns = [*SIGN_IN, *screens("capture", "randomise", "products", "monitor", "safety", "downloads", "api")]
