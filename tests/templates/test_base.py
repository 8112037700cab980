"""The files of role base."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Render = Callable[..., str]


def test_sshd_takes_no_password(render: Render) -> None:
    lines = render("base", "etc/ssh/sshd_config.d/00-base.conf").splitlines()
    assert {"PasswordAuthentication no", "PermitRootLogin no", "KbdInteractiveAuthentication no"} <= set(lines)


def test_sshd_settings_are_replaced_as_a_whole(render: Render) -> None:
    text = render("base", "etc/ssh/sshd_config.d/00-base.conf", base_sshd_settings={"MaxAuthTries": 2})
    assert [line for line in text.splitlines() if not line.startswith("#")] == ["MaxAuthTries 2"]


def test_the_journal_has_an_end(render: Render) -> None:
    text = render("base", "etc/systemd/journald.conf.d/base.conf", base_journald_max_use="64M")
    assert "Storage=persistent\nSystemMaxUse=64M\n" in text


@pytest.mark.parametrize(
    ("distribution", "origin"), [("Debian", "label=Debian-Security"), ("Ubuntu", "archive=${distro_codename}-security")]
)
def test_security_updates_come_from_the_distributions_own_place(render: Render, distribution: str, origin: str) -> None:
    facts = {"distribution": distribution}
    text = render("base", "etc/apt/apt.conf.d/52base-unattended-upgrades", ansible_facts=facts, base_unattended_upgrades=True)
    assert origin in text
    assert 'APT::Periodic::Unattended-Upgrade "1";' in text


def test_no_updates_unless_asked(render: Render) -> None:
    assert 'APT::Periodic::Unattended-Upgrade "0";' in render("base", "etc/apt/apt.conf.d/52base-unattended-upgrades")
