"""Logs in to a Django site by django-allauth."""

# mypy: ignore-errors
# ruff: noqa: PLC0415

import django
from django.conf import settings
from script import KEY, SECRET, tell, visit

OPTIONS = {
    "SECRET_KEY": "x",
    "ALLOWED_HOSTS": ["*"],
    "ROOT_URLCONF": "run_allauth",
    "DATABASES": {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    "DEFAULT_AUTO_FIELD": "django.db.models.AutoField",
    "INSTALLED_APPS": [
        "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions",
        "django.contrib.messages", "allauth", "allauth.account", "allauth.socialaccount",
        "allauth.socialaccount.providers.kakao",
    ],
    "MIDDLEWARE": [
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "allauth.account.middleware.AccountMiddleware",
    ],
    "TEMPLATES": [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
        }
    ],
    "ACCOUNT_DEFAULT_HTTP_PROTOCOL": "http",
    "LOGIN_REDIRECT_URL": "/welcome",
    "SOCIALACCOUNT_PROVIDERS": {"kakao": {"APPS": [{"client_id": KEY, "secret": SECRET}]}},
}  # fmt: skip

if __name__ == "__main__":
    settings.configure(**OPTIONS)
    django.setup()
else:  # as the site's own table of addresses
    from django.urls import include, path

    urlpatterns = [path("accounts/", include("allauth.urls"))]


def main():
    from allauth.socialaccount.models import SocialAccount
    from django.core.management import call_command
    from django.test import Client

    call_command("migrate", verbosity=0)
    browser = Client(headers={"host": "127.0.0.1:8000"})
    address = browser.post("/accounts/kakao/login/").headers["Location"]
    back = visit(address).partition("127.0.0.1:8000")[2]
    tell(browser.get(back).headers["Location"])
    account = SocialAccount.objects.get()
    tell([account.provider, account.uid, account.user.email])


if __name__ == "__main__":
    main()
