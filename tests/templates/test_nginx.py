"""nginx's files."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import yaml

from tests.templates.conftest import ROLES

SITE_DEFAULTS = yaml.safe_load((ROLES / "nginx/vars/main.yml").read_text())["__nginx_site_defaults"]


def site(render: Callable[..., str], **settings: object) -> str:
    item = {"key": "uda", "value": settings}
    return render("nginx", "etc/nginx/conf.d/site.conf", item=item, __nginx_site=SITE_DEFAULTS | {"upstream": "unix:/s"} | settings)


def test_every_file_says_who_manages_it(render: Callable[..., str]) -> None:
    assert site(render).startswith("#\n# Ansible managed\n#\n")


def test_a_site_needs_no_more_than_its_upstream(render: Callable[..., str]) -> None:
    text = site(render)
    assert "server unix:/s fail_timeout=0;" in text
    assert "listen 80 default_server;" in text
    assert "server_name _;" in text
    assert "alias" not in text
    assert "location = /health" not in text


def test_the_application_is_told_who_asked_and_how(render: Callable[..., str]) -> None:
    text = site(render)
    for header in ("Host $http_host", "X-Real-IP $remote_addr", "X-Forwarded-For $forwarded_for", "X-Forwarded-Proto $forwarded_proto"):
        assert f"    proxy_set_header {header};" in text


def test_the_health_check_keeps_every_header_but_the_host(render: Callable[..., str]) -> None:
    """nginx inherits proxy_set_header only into places that set none themselves."""
    text = site(render, health={"path": "/up", "host": "localhost"})
    server, health = text.split("location = /up {")
    expected = [line.strip() for line in server.splitlines() if "proxy_set_header" in line]
    found = [line.strip().replace("Host localhost", "Host $http_host") for line in health.splitlines() if "proxy_set_header" in line]
    assert found == expected


def test_static_files_and_names(render: Callable[..., str]) -> None:
    text = site(render, static={"/static/": "/opt/uda/current/static/"}, server_names=["a.example", "b.example"], default_server=False)
    assert "location /static/ {\n        alias /opt/uda/current/static/;" in text
    assert "server_name a.example b.example;" in text
    assert "default_server" not in text


def test_the_icon_is_not_logged(render: Callable[..., str]) -> None:
    assert "location = /favicon.ico {\n        access_log off;" in site(render)


@pytest.mark.parametrize("line", ["server_tokens off;", "server_names_hash_bucket_size 128;", "keepalive_timeout 75;", "user www-data;"])
def test_nginx_conf(render: Callable[..., str], line: str) -> None:
    assert line in render("nginx", "etc/nginx/nginx.conf")


def test_only_named_networks_may_say_who_the_client_is(render: Callable[..., str]) -> None:
    assert "set_real_ip_from" not in render("nginx", "etc/nginx/nginx.conf")
    assert "set_real_ip_from 10.0.0.0/16;" in render("nginx", "etc/nginx/nginx.conf", nginx_trusted_proxies=["10.0.0.0/16"])


def test_no_path_escapes_the_test_of_a_new_configuration(render: Callable[..., str]) -> None:
    """nginx-test-with replaces /etc/nginx/ in nginx.conf; an include that is relative would be read from the real folder."""
    includes = [line.split()[1] for line in render("nginx", "etc/nginx/nginx.conf").splitlines() if line.split()[:1] == ["include"]]
    assert includes
    assert all(path.startswith("/etc/nginx/") for path in includes)


def test_log_rotation(render: Callable[..., str]) -> None:
    text = render("nginx", "etc/logrotate.d/nginx", nginx_log_keep_days=3)
    assert "    rotate 3\n" in text
    assert "USR1" in text
