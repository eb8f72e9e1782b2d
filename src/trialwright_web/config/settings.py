"""Django's settings, from the environment."""

from __future__ import annotations

import gc
from datetime import timedelta
from pathlib import Path

from csp.constants import NONCE, NONE, SELF

from trialwright_web.config.databases import database
from trialwright_web.config.environment import read_environment
from trialwright_web.config.mail import mail

ENVIRONMENT = read_environment()

# What a process holds, builds above all, stays as long as it runs, and a request makes thousands of objects with
# hardly a cycle among them. Looking for cycles after every 700 objects took a fifth of a start and three hundredths
# of a save.
gc.set_threshold(20_000, 20, 50)

PACKAGE = Path(__file__).resolve().parent.parent
PUBLIC = ENVIRONMENT.process == "public"

SECRET_KEY = ENVIRONMENT.secret_key
DEBUG = False
ALLOWED_HOSTS = list(ENVIRONMENT.hosts)
ROOT_URLCONF = f"trialwright_web.config.urls.{ENVIRONMENT.process}"
WSGI_APPLICATION = "trialwright_web.config.wsgi.application"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# Every process knows the same applications, so that migrations agree; what it serves, its routes say.
SCREENS = [
    name
    for name in (
        "public",
        "participant",
        "capture",
        "randomise",
        "products",
        "laboratory",
        "monitor",
        "safety",
        "downloads",
        "api",
    )
    if (PACKAGE / name / "__init__.py").exists()
]
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",  # of allauth's list of passkeys
    "trialwright_web.store",
    "trialwright_web.accounts",
    "trialwright_web.shell",
    *(f"trialwright_web.{name}" for name in SCREENS),
    "allauth",  # after the shell, whose templates dress its pages
    "allauth.account",
    "allauth.mfa",
    "csp",
]

MIDDLEWARE = [
    "trialwright_web.shell.metrics.Counted",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "trialwright_web.shell.language.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "trialwright_web.accounts.middleware.SessionRules",
    "trialwright_web.shell.middleware.Answers",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": not ENVIRONMENT.watch,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "trialwright_web.shell.context.page",
            ],
            **({"loaders": ["django.template.loaders.app_directories.Loader"]} if ENVIRONMENT.watch else {}),
        },
    }
]

DATABASES = {"default": database(ENVIRONMENT.database), "identity": database(ENVIRONMENT.identity)}
DATABASE_ROUTERS = ["trialwright_web.store.routing.IdentityApart"]
CACHES = {"default": {"BACKEND": "django.core.cache.backends.db.DatabaseCache", "LOCATION": "shell_cache"}}

# --- people ---------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.Account"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
AUTHENTICATION_BACKENDS = ["trialwright_web.accounts.sessions.Backend"]
ACCOUNT_ADAPTER = "trialwright_web.accounts.adapter.InvitedOnly"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_NOTIFICATIONS = False
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
# By user and by address: ten wrong tries from one address in a minute, five for one user in five minutes.
ACCOUNT_RATE_LIMITS = {
    "login_failed": "10/m/ip,5/300s/key",
    "login": "60/m/ip",
    "reauthenticate": "10/m/user",
    "unlock_contacts": "10/m/ip,5/300s/key",  # of a site's key
}
ALLAUTH_TRUSTED_PROXY_COUNT = ENVIRONMENT.proxies
PASSWORD_RESET_TIMEOUT = int(timedelta(days=3).total_seconds())  # of invitations; nobody is mailed a password
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Trialwright"
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not ENVIRONMENT.https
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"

SESSION_ENGINE = "trialwright_web.accounts.sessions"
SESSION_COOKIE_NAME = f"trialwright_{ENVIRONMENT.process}"
SESSION_COOKIE_AGE = int(timedelta(hours=12).total_seconds())
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = ENVIRONMENT.https
CSRF_COOKIE_NAME = f"trialwright_{ENVIRONMENT.process}_csrf"
CSRF_COOKIE_SECURE = ENVIRONMENT.https
CSRF_COOKIE_HTTPONLY = True
CSRF_FAILURE_VIEW = "trialwright_web.shell.views.csrf_failed"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# --- mail -----------------------------------------------------------------------------------------------------

vars().update(mail(ENVIRONMENT.mail, ENVIRONMENT.staff_address))

# --- what a browser may do --------------------------------------------------------------------------------------

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "object-src": [NONE],
    }
}
X_FRAME_OPTIONS = "DENY"
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_HSTS_SECONDS = 31536000 if ENVIRONMENT.https else 0
SECURE_SSL_REDIRECT = False  # the proxy in front does it; health checks come over plain HTTP
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if ENVIRONMENT.https else None
DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5000
# Files stay in memory until they are sealed: nothing of them is written readable. Larger ones are not taken in.
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.MemoryFileUploadHandler"]
FILE_UPLOAD_MAX_MEMORY_SIZE = 21 * 1024 * 1024

# --- language, time, files ---------------------------------------------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("nb", "Bokmål"), ("nn", "Nynorsk")]
LANGUAGE_COOKIE_NAME = "language"
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
STATIC_URL = "/static/"
STATIC_ROOT = None  # WhiteNoise serves the files where they lie, read once when the process begins
STORAGES = {
    "default": {
        "BACKEND": "django.core.files.storage.InMemoryStorage"
    },  # no uploads by Django; attachments are sealed
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_MAX_AGE = 300

# Logs say what happened to the application, never what was typed or about whom.
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {
            "()": "trialwright_web.config.logs.WithoutPeople",
            "fmt": "%(asctime)s %(levelname)s %(name)s %(message)s",
        }
    },
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["console"], "level": "INFO"},
    "loggers": {
        "django.request": {"level": "ERROR"},
        "django.security.DisallowedHost": {"level": "CRITICAL"},
        "allauth": {"level": "WARNING"},
        "granian.access": {"level": "ERROR"},  # addresses name participants; the proxy logs what operators need
        "fontTools": {"level": "ERROR"},
        "weasyprint": {"level": "ERROR"},
    },
}
