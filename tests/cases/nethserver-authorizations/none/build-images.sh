buildah config --entrypoint=/ c
