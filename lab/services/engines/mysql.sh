# Process 1 of a database machine: makes the data directory once, then runs MariaDB. /lab outlives the container.
set -eu
umask 077
data=/lab/data
rm -f /lab/ready

chmod 0755 /lab/start.sh /lab/settings.cnf /lab
install -d -o mysql -g mysql -m 0755 /run/mysqld

# The certificate is the machine's, not the data's: a server that is restored from a snapshot has another name.
if [ ! -s /lab/tls/server.crt ]; then
  install -d -m 0755 /lab/tls
  openssl req -x509 -nodes -newkey rsa:2048 -days 3650 -subj "/CN=database" \
    -addext "subjectAltName=DNS:$(cat /lab/name)" -keyout /lab/tls/server.key -out /lab/tls/server.new 2>/dev/null
  chown mysql:mysql /lab/tls/server.key
  chmod 0644 /lab/tls/server.new
  mv /lab/tls/server.new /lab/tls/server.crt
fi

if [ ! -d "$data/mysql" ]; then
  rm -rf "$data.new"
  install -d -o mysql -g mysql -m 0700 "$data.new"
  mariadb-install-db --no-defaults --user=mysql --datadir="$data.new" --skip-test-db \
    --auth-root-authentication-method=socket --auth-root-socket-user=root >/dev/null
  mv "$data.new" "$data"
fi

mariadbd --defaults-file=/lab/settings.cnf &
server=$!
trap 'rm -f /lab/ready; kill -TERM "$server"' TERM INT

until mariadb --no-defaults --protocol=socket --user=root --execute='SELECT 1' >/dev/null 2>&1; do
  kill -0 "$server" 2>/dev/null || exit 1
  sleep 0.2
done
touch /lab/ready

until wait "$server"; do
  kill -0 "$server" 2>/dev/null || break
done
rm -f /lab/ready
