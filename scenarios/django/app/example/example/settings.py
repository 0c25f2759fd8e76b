from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent.parent

SECRET_KEY = 'only for this sample'
DEBUG = False
ALLOWED_HOSTS = ['*']

INSTALLED_APPS = ['django.contrib.staticfiles', 'greeting']
ROOT_URLCONF = 'example.urls'
TEMPLATES = [{'BACKEND': 'django.template.backends.django.DjangoTemplates', 'APP_DIRS': True}]
WSGI_APPLICATION = 'example.wsgi.application'

STATIC_URL = '/static/'
STATIC_ROOT = BASE_DIR / 'htdocs'
