buildah config --label 'org.nethserver.authorizations=traefik@node:routeadm traefik@node:certadm' c
