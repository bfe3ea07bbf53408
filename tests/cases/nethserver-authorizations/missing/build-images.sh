buildah config --label "org.nethserver.authorizations=traefik@node:routeadm" c
