#!/bin/sh
# The application of the example: it answers on port 8080 and says what it would talk to.
set -eu
mkdir -p /opt/app/www
printf 'database %s, cache %s, documents %s\n' "$DATABASE_HOST" "$CACHE_HOST" "$DOCUMENTS" > /opt/app/www/index.html
cp /opt/app/www/index.html /opt/app/www/health
cd /opt/app/www
nohup python3 -m http.server 8080 >/var/log/app.log 2>&1 &
