"""JSON for programs.

GET /api/users?page=1   POST /api/users   GET, PUT, PATCH, DELETE /api/users/<id>

Bodies must be `application/json`. A browser never sends that across sites without asking first, and nobody is
logged in, so the form token is not asked for here.
"""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views import View
from django.views.decorators.csrf import csrf_exempt

from users.forms import UserForm
from users.models import User

PAGE_SIZE = 100
FIELDS = ("user_name", "comment")


class _Refused(Exception):
    """A request that cannot be done: the status and what is wrong."""

    def __init__(self, status: HTTPStatus, errors: object) -> None:
        super().__init__(errors)
        self.status = status
        self.errors = errors


@method_decorator(csrf_exempt, name="dispatch")
class _Api(View):
    """A view whose refusals are JSON too."""

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return super().dispatch(request, *args, **kwargs)
        except _Refused as refused:
            return JsonResponse({"errors": refused.errors}, status=refused.status)


class Users(_Api):
    """All users."""

    def get(self, request: HttpRequest) -> JsonResponse:
        page = Paginator(User.objects.all(), PAGE_SIZE).get_page(request.GET.get("page"))
        return JsonResponse(
            {
                "users": [as_dict(user) for user in page],
                "count": page.paginator.count,
                "page": page.number,
                "pages": page.paginator.num_pages,
            }
        )

    def post(self, request: HttpRequest) -> JsonResponse:
        user = _save(_body(request), User())
        return JsonResponse(as_dict(user), status=HTTPStatus.CREATED, headers={"Location": reverse("api-user", args=[user.pk])})


class OneUser(_Api):
    """One user."""

    def get(self, _request: HttpRequest, pk: int) -> JsonResponse:
        return JsonResponse(as_dict(_find(pk)))

    def put(self, request: HttpRequest, pk: int) -> JsonResponse:
        return JsonResponse(as_dict(_save(dict.fromkeys(FIELDS, "") | _body(request), _find(pk))))

    def patch(self, request: HttpRequest, pk: int) -> JsonResponse:
        user = _find(pk)
        kept = {name: getattr(user, name) for name in FIELDS}
        return JsonResponse(as_dict(_save(kept | _body(request), user)))

    def delete(self, _request: HttpRequest, pk: int) -> HttpResponse:
        _find(pk).delete()
        return HttpResponse(status=HTTPStatus.NO_CONTENT)


def as_dict(user: User) -> dict[str, Any]:
    """A user as JSON shows it."""
    return {"user_id": user.pk, "user_name": user.user_name, "comment": user.comment}


def _find(pk: int) -> User:
    try:
        return User.objects.get(pk=pk)
    except User.DoesNotExist:
        raise _Refused(HTTPStatus.NOT_FOUND, f"there is no user {pk}") from None


def _body(request: HttpRequest) -> dict[str, Any]:
    """The request's JSON object, of known fields with text in them."""
    if request.content_type != "application/json":
        raise _Refused(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, f"found {request.content_type or 'no type'}, expected application/json")
    try:
        body = json.loads(request.body)
    except RequestDataTooBig:
        raise _Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "the body is too large") from None
    except ValueError as error:
        raise _Refused(HTTPStatus.BAD_REQUEST, f"the body is not JSON: {error}") from None
    if not isinstance(body, dict):
        raise _Refused(HTTPStatus.BAD_REQUEST, f"found {type(body).__name__}, expected an object with {' and '.join(FIELDS)}")
    for name, value in body.items():
        if name not in FIELDS:
            raise _Refused(HTTPStatus.BAD_REQUEST, {name: [f"is not known; known are {', '.join(FIELDS)}"]})
        if not isinstance(value, str):
            raise _Refused(HTTPStatus.BAD_REQUEST, {name: [f"found {type(value).__name__}, expected text"]})
    return body


def _save(fields: dict[str, Any], user: User) -> User:
    form = UserForm(fields, instance=user)
    if not form.is_valid():
        raise _Refused(HTTPStatus.BAD_REQUEST, form.errors)
    saved: User = form.save()
    return saved
