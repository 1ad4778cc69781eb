"""Settings for production; all that differs between machines comes from the environment."""

import os
from pathlib import Path

from mobile_sync import environment, installed
from mobile_sync.identity import RELEASE

BASE_DIR = Path(__file__).resolve().parent.parent

SECRET_KEY = environment.secret_key("DJANGO_SECRET_KEY")
DEBUG = False
ALLOWED_HOSTS = environment.words(environment.required("DJANGO_ALLOWED_HOSTS"))

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.staticfiles",
    "corsheaders",
    *installed.APPLICATIONS,
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "core.middleware.GateMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "mobile_sync.urls"
ASGI_APPLICATION = "mobile_sync.asgi.application"
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]

DATABASES = {"default": environment.database("DATABASE_URL", environment.number("DATABASE_POOL_MAX", 4))}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

REDIS_URL = environment.required("REDIS_URL")
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        # Two releases share one Redis: what one wrote, the other must never read.
        "KEY_PREFIX": f"mobile-sync:{RELEASE}",
        "OPTIONS": {"socket_connect_timeout": 3, "socket_timeout": 3},
    }
}
CHANNEL_LAYERS = {
    "default": {
        # Publish/subscribe: groups live in the processes, so a flushed or restarted Redis does not lose them.
        # Both colours use the same prefix: a broadcast reaches the sockets of either.
        "BACKEND": "channels_redis.pubsub.RedisPubSubChannelLayer",
        "CONFIG": {"hosts": [REDIS_URL], "prefix": "mobile-sync"},
    }
}

STATIC_URL = "/static/"
STATIC_ROOT = BASE_DIR / "staticfiles"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = False
USE_TZ = True

SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
SECURE_SSL_REDIRECT = True
# Probes speak plain HTTP to an instance; and a client that follows a redirect turns its POST into a GET.
SECURE_REDIRECT_EXEMPT = [r"^health$", r"^readiness$", r"^api/"]
SECURE_HSTS_SECONDS = 31_536_000
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
SECURE_HSTS_PRELOAD = True
X_FRAME_OPTIONS = "DENY"
CORS_ALLOWED_ORIGINS = environment.words(os.environ.get("DJANGO_CORS_ALLOWED_ORIGINS", ""))
# No cookie identifies anybody here, so there is nothing that a forged cross-site request could use (W003).
SILENCED_SYSTEM_CHECKS = ["security.W003"]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    # What clients do wrong is in the log of the proxy.
    "loggers": {"django.request": {"level": "ERROR"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
}

SYNC_EFFECTS = installed.SYNC_EFFECTS
# Items that arrive within this time share one transaction (seconds).
SYNC_COMMIT_WINDOW = environment.number("SYNC_COMMIT_WINDOW_MS", 25) / 1000
SYNC_IDEMPOTENCY_HOURS = environment.number("SYNC_IDEMPOTENCY_HOURS", 24)
