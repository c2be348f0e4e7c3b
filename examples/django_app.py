"""Django in one file, served by its ASGI handler: alsvid examples.django_app:app

In a project of your own this is `alsvid project.asgi:application`.
"""

import os
import secrets

import django
from django.conf import settings
from django.core.asgi import get_asgi_application
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse
from django.urls import path

settings.configure(
    ALLOWED_HOSTS=["127.0.0.1", "localhost", "[::1]"],
    ROOT_URLCONF=__name__,
    SECRET_KEY=os.environ.get("SECRET_KEY") or secrets.token_hex(32),
    MIDDLEWARE=["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware"],
)
django.setup()


async def home(request):
    return HttpResponse(f"Hello from Django {django.get_version()}\n", content_type="text/plain")


def echo(request, name):
    """Not a coroutine: Django runs it in a thread."""
    answer = {
        "name": name,
        "method": request.method,
        "query": request.GET.dict(),
        "form": request.POST.dict(),
        "files": {key: file.size for key, file in request.FILES.items()},
        "secure": request.is_secure(),
        "url": request.build_absolute_uri(),
    }
    return JsonResponse(answer)


async def count(request):
    async def lines():
        for number in range(1, 6):
            yield f"{number}\n"

    return StreamingHttpResponse(lines(), content_type="text/plain")


urlpatterns = [path("", home), path("echo/<str:name>", echo), path("count", count)]

app = get_asgi_application()
