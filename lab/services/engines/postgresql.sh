# Process 1 of a database machine: makes the data directory once, then runs PostgreSQL. /lab outlives the container.
set -eu
umask 077
PATH=/usr/lib/postgresql/15/bin:$PATH
data=/lab/data
as_postgres="setpriv --reuid=postgres --regid=postgres --init-groups"

chmod 0755 /lab/start.sh /lab/settings.conf /lab/access.conf /lab
mkdir -p /run/postgresql
chown postgres:postgres /run/postgresql

if [ ! -s "$data/PG_VERSION" ]; then
  rm -rf "$data.new"
  install -d -o postgres -g postgres -m 0700 "$data.new"
  $as_postgres initdb --pgdata="$data.new" --username=rdsadmin --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-instructions
  $as_postgres openssl req -x509 -nodes -newkey rsa:2048 -days 3650 -subj "/CN=database" \
    -addext "subjectAltName=DNS:$(cat /lab/name)" -keyout "$data.new/server.key" -out "$data.new/server.crt" 2>/dev/null
  mv "$data.new" "$data"
fi
rm -f "$data/postmaster.pid"

# A stop asks for a fast shutdown: connections are ended, nothing has to be recovered at the next start.
$as_postgres postgres -D "$data" -c config_file=/lab/settings.conf &
server=$!
trap 'kill -INT "$server"' TERM INT
until wait "$server"; do
  kill -0 "$server" 2>/dev/null || exit 1
done
