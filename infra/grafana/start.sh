#!/bin/sh
# Entry point of the Grafana container: generates the administrator's password on the first start, into Grafana's own
# volume. The stack's secrets stay out of this container, and its user (472) reads no file of another user.
set -eu
file="${GF_PATHS_DATA:-/var/lib/grafana}/admin-password"
if [ ! -s "$file" ]; then
  umask 077
  # Written whole under another name first: a start that is cut short leaves no half password behind.
  head -c 24 /dev/urandom | base64 | tr -d '\n' | tr '+/' '-_' > "$file.new"
  mv "$file.new" "$file"
fi
export GF_SECURITY_ADMIN_PASSWORD__FILE="$file"
exec /run.sh "$@"
