buildah config --label="org.nethserver.authorizations = traefik@node:certadm,routeadm" c
