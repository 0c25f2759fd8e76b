#!/usr/bin/env bash
# Loads the archives, and pulls the images that are still missing.
set -euo pipefail

fail() {
  echo "::error title=wsgi-proof::$1"
  exit 2
}

if [[ -n $ARCHIVES ]]; then
  [[ -d $ARCHIVES ]] || fail "archives: no such folder"
  loaded=0
  for archive in "$ARCHIVES"/*; do
    [[ -f $archive ]] || continue
    docker load --input "$archive"
    loaded=$((loaded + 1))
  done
  ((loaded > 0)) || fail "archives: no file is in this folder"
fi
for image in "$BASE_IMAGE" "$ONBUILD_IMAGE"; do
  [[ -n $image ]] || continue
  if docker image inspect --format '{{.Id}}' -- "$image"; then continue; fi
  # An image that was to come by an archive must not come from elsewhere.
  [[ -z $ARCHIVES ]] || fail "no archive has one of the images that are to be tested"
  docker pull -- "$image"
done
