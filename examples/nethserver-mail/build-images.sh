#!/bin/bash

# Builds the image of the module; see https://nethserver.github.io/ns8-core/modules/images/
set -e

container=$(buildah from scratch)
buildah add "${container}" imageroot /imageroot
buildah add "${container}" ui/dist /ui
buildah config --entrypoint=/ \
    --label="$(cat imageroot.labels)" \
    --label="org.nethserver.tcp-ports-demand=1" \
    --label="org.nethserver.rootfull=0" \
    --label="org.nethserver.images=ghcr.io/example/mail-postfix:latest ghcr.io/example/mail-dovecot:latest" \
    "${container}"
buildah commit "${container}" "${REPOBASE:-ghcr.io/example}/mail"
