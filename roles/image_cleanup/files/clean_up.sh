#!/bin/sh
# clean_up.sh USER...: remove what copies of this machine must not share, and the users' keys and histories.
# Each thing that was there and went is told.
set -eu

drop() {
    for path in "$@"; do
        if [ -e "$path" ] || [ -L "$path" ]; then
            rm -rf -- "$path"
            echo "removed $path"
        fi
    done
}

# cloud-init would take the machine for one that has booted before.
if command -v cloud-init > /dev/null; then
    cloud-init clean --logs
fi

for user in "$@"; do
    home=$(getent passwd "$user" | cut -d: -f6)
    if [ -n "$home" ]; then
        drop "$home/.ssh/authorized_keys" "$home/.ssh/known_hosts" "$home/.ansible" "$home/.cache"
        drop "$home/.bash_history" "$home/.python_history" "$home/.psql_history" "$home/.lesshst" "$home/.viminfo"
    fi
done

drop /etc/ssh/ssh_host_*
if [ -d /var/lib/apt/lists ]; then
    drop /var/lib/apt/lists/*
    # An index that is empty but looks fresh would keep apt from fetching it on the copies.
    rm -f /var/cache/apt/*.bin
    touch -d 2000-01-01 /var/lib/apt/lists /var/cache/apt
fi
drop /var/cache/dnf/*

drop /var/lib/dhcp/*.lease* /var/lib/systemd/random-seed /var/lib/systemd/credential.secret
find /tmp /var/tmp -mindepth 1 -maxdepth 1 ! -name 'systemd-private-*' -exec rm -rf -- {} +
drop /var/log/journal/* /var/log/*.gz /var/log/*.[0-9] /var/log/*/*.gz /var/log/*/*.[0-9]
# Services hold these files open: they are emptied, not removed.
find /var/log -type f -size +0 -exec truncate --size 0 {} +

# An empty file, not a missing one: systemd then gives the copy an identity of its own.
if [ -s /etc/machine-id ]; then
    truncate --size 0 /etc/machine-id
    echo "removed the content of /etc/machine-id"
fi
if [ -e /var/lib/dbus/machine-id ] && [ ! -L /var/lib/dbus/machine-id ]; then
    ln -sf /etc/machine-id /var/lib/dbus/machine-id
fi
sync
