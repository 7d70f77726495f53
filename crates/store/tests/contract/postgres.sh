#!/bin/sh
# A PostgreSQL server of this run's own: postgres.sh PORT. Prints its directory when it answers, and
# goes away with it when standard input closes, however the one who started it ended. Prints `none`
# where no PostgreSQL is installed. `bin` in the directory leads to the server's programs.
set -e
port=$1
bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -t/ -k5 -n | tail -n 1)
[ -n "$bin" ] || bin=$(dirname "$(command -v initdb || echo none/none)")
[ -x "$bin/initdb" ] || { echo none; exit 0; }
dir=$(mktemp -d "${TMPDIR:-/tmp}/precordia-pg.XXXXXX")
as=
if [ "$(id -u)" = 0 ]; then
    chown postgres "$dir"
    as="setpriv --reuid=postgres --regid=postgres --init-groups"
fi
cd "$dir"
ln -s "$bin" bin
trap 'kill -INT "$pid" 2>/dev/null; wait "$pid" 2>/dev/null; cd /; rm -rf "$dir"' EXIT
$as "$bin/initdb" -D data -A trust -U postgres --no-sync -E UTF8 --locale=C.UTF-8 >initdb.log 2>&1

tls=
if command -v openssl >/dev/null; then
    {
        openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=tests -keyout ca.key -out ca.pem
        openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout server.key -out server.csr
        printf 'subjectAltName=DNS:localhost\nbasicConstraints=CA:FALSE\n' >server.ext
        openssl x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 \
            -extfile server.ext -out server.pem
    } >tls.log 2>&1
    if [ -n "$as" ]; then chown postgres server.key server.pem; fi
    chmod 600 server.key
    tls="-c ssl=on -c ssl_cert_file=$dir/server.pem -c ssl_key_file=$dir/server.key"
fi

# shellcheck disable=SC2086
$as "$bin/postgres" -D data -p "$port" -k "$dir" -c listen_addresses=127.0.0.1 \
    -c max_connections=300 $tls >server.log 2>&1 &
pid=$!
until "$bin/pg_isready" -q -h "$dir" -p "$port"; do
    kill -0 "$pid"
    sleep 0.1
done
echo "$dir"
cat >/dev/null
