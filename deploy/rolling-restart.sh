#!/bin/sh
# Replaces every chat-translator, then every gateway, by one of the present images and settings, without breaking a stream: as many new ones
# start, and when they are healthy the old ones stop, each as soon as its streams are over (ZAI_SHUTDOWN_TIMEOUT at most).
# Clients must come through the profile `nginx`, and ZAI_PORT must be set and empty, so that two gateways fit beside each other.
#
#   sh deploy/rolling-restart.sh [options of docker compose, such as --env-file .env.prod]
#   COMPOSE=docker-compose sh deploy/rolling-restart.sh …
set -eu

compose() { ${COMPOSE:-docker compose} $options "$@"; }
options="$*"
# Just above stop_grace_period, which a plain `docker stop` does not know.
stop_seconds=620
healthy_within_seconds=120

wait_until_healthy() {
  left=$healthy_within_seconds
  for container in $1; do
    until [ "$(docker inspect --format '{{.State.Health.Status}}' "$container")" = healthy ]; do
      left=$((left - 1))
      if [ "$left" -le 0 ]; then
        echo "$container is not healthy after $healthy_within_seconds s; the old ones go on. Its log:" >&2
        docker logs --tail 20 "$container" >&2
        exit 1
      fi
      sleep 1
    done
  done
}

for service in chat-translator gateway; do
  old="$(compose ps --quiet "$service")"
  count="$(echo "$old" | wc -w)"
  [ "$count" -gt 0 ] || { echo "$service does not run" >&2; exit 1; }
  compose up --detach --no-deps --no-recreate --scale "$service=$((2 * count))" "$service"
  new="$(compose ps --quiet "$service" | grep --invert-match --fixed-strings "$old")"
  wait_until_healthy "$new"
  docker stop --time "$stop_seconds" $old >/dev/null
  docker rm $old >/dev/null
  echo "$service: $count replaced"
done
