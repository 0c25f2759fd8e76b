from greeting.views import page

try:
    from django.urls import re_path
except ImportError:
    # Before Django 2.
    from django.conf.urls import url as re_path

urlpatterns = [re_path('^$', page)]
