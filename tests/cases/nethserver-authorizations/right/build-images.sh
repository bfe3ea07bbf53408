buildah config --label="org.nethserver.authorizations=traefik@any:routeadm node:fwadm" c
