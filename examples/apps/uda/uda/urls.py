"""Routes: pages for people, /api for programs, /health for the load balancer."""

from __future__ import annotations

from django.urls import path

from uda.health import health
from users import api, views

urlpatterns = [
    path("", views.UserList.as_view(), name="users"),
    path("users/add", views.UserAdd.as_view(), name="user-add"),
    path("users/<int:pk>/edit", views.UserEdit.as_view(), name="user-edit"),
    path("users/<int:pk>/remove", views.UserRemove.as_view(), name="user-remove"),
    path("api/users", api.Users.as_view(), name="api-users"),
    path("api/users/<int:pk>", api.OneUser.as_view(), name="api-user"),
    path("health", health, name="health"),
]
