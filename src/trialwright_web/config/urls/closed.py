"""Routes of the closed process: the laboratory, and the screens of the open space for roles that know the arm."""

from trialwright_web.config.urls.shared import SIGN_IN, handler404, handler500, screens

__all__ = ["handler404", "handler500", "urlpatterns"]

urlpatterns = [*SIGN_IN, *screens("laboratory", "products", "capture", "monitor", "safety", "downloads")]
