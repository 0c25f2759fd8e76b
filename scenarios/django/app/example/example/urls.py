from django.urls import path

from greeting.views import page

urlpatterns = [path('', page)]
