"""Settings of the example: SQLite, or the PostgreSQL of ``POSTGRES_PORT``."""

import os
from pathlib import Path

SECRET_KEY = os.environ.get('SECRET_KEY', 'for the example only')
DEBUG = True
ALLOWED_HOSTS = ['*']
INSTALLED_APPS = ['shop']
ROOT_URLCONF = 'shop.urls'
USE_TZ = True
DEFAULT_AUTO_FIELD = 'django.db.models.BigAutoField'

if 'POSTGRES_PORT' in os.environ:
    DATABASES = {
        'default': {
            'ENGINE': 'django.db.backends.postgresql',
            'HOST': '127.0.0.1',
            'PORT': os.environ['POSTGRES_PORT'],
            'NAME': os.environ['POSTGRES_NAME'],
            'USER': os.environ['POSTGRES_USER'],
        }
    }
else:
    DATABASES = {
        'default': {
            'ENGINE': 'django.db.backends.sqlite3',
            'NAME': os.environ.get('SQLITE_FILE', Path(__file__).parent.parent / 'shop.sqlite'),
        }
    }
