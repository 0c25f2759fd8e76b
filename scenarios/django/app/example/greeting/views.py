from django import get_version
from django.shortcuts import render


def page(request):
    return render(request, 'greeting.html', {'version': get_version(), 'name': request.GET.get('name', 'nobody')})
