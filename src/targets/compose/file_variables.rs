//! Which images read the value of a variable from the file that a second variable names.
//!
//! Only images whose own start script does so, by the name that they have in Docker's registry: others
//! build software of the same name (LinuxServer, Bitnami, Chainguard) with scripts of their own. What
//! is not here is not guessed: `variable` says it.

use super::base::{Command, Service};

/// A variable of an image that names a file.
#[derive(Debug, PartialEq, Eq)]
pub struct FileVariable {
    /// What it is called.
    pub name: String,
    /// Who reads the file, where that is not whoever the container starts as.
    pub read_by: Option<u32>,
}

/// Where Docker's registry is asked for, by its own names and those of its mirrors at clouds.
const DOCKER_HUB: [&str; 5] = [
    "docker.io",
    "index.docker.io",
    "registry-1.docker.io",
    "mirror.gcr.io",
    "public.ecr.aws/docker",
];

/// Images, and the variables whose value they read from a file.
struct Images {
    names: &'static [&'static str],
    ending: &'static str,
    variables: Variables,
    /// The user that the start script becomes before it reads.
    read_by: Option<u32>,
}

enum Variables {
    These(&'static [&'static str]),
    /// All that begin so.
    Beginning(&'static str),
}

/// From each image's own start script, `file_env` in most. WordPress is not among them: Apache's
/// workers read its files, whoever the container starts as.
const KNOWN: &[Images] = &[
    // github.com/docker-library/postgres, docker-entrypoint.sh; the others begin with its script.
    Images {
        names: &[
            "library/postgres",
            "postgis/postgis",
            "timescale/timescaledb",
            "pgvector/pgvector",
        ],
        ending: "_FILE",
        variables: Variables::These(&["POSTGRES_PASSWORD", "POSTGRES_USER", "POSTGRES_DB"]),
        read_by: None,
    },
    // github.com/docker-library/mysql, docker-entrypoint.sh
    Images {
        names: &["library/mysql"],
        ending: "_FILE",
        variables: Variables::These(&[
            "MYSQL_ROOT_PASSWORD",
            "MYSQL_PASSWORD",
            "MYSQL_USER",
            "MYSQL_DATABASE",
        ]),
        read_by: None,
    },
    // github.com/MariaDB/mariadb-docker, docker-entrypoint.sh
    Images {
        names: &["library/mariadb"],
        ending: "_FILE",
        variables: Variables::These(&[
            "MARIADB_ROOT_PASSWORD",
            "MARIADB_PASSWORD",
            "MARIADB_USER",
            "MARIADB_DATABASE",
            "MYSQL_ROOT_PASSWORD",
            "MYSQL_PASSWORD",
            "MYSQL_USER",
            "MYSQL_DATABASE",
        ]),
        read_by: None,
    },
    // github.com/nextcloud/docker, docker-entrypoint.sh; others its workers read, or do so unless an
    // administrator is made.
    Images {
        names: &["library/nextcloud"],
        ending: "_FILE",
        variables: Variables::These(&["NEXTCLOUD_ADMIN_PASSWORD", "NEXTCLOUD_ADMIN_USER"]),
        read_by: None,
    },
    // github.com/docker-library/mongo, docker-entrypoint.sh
    Images {
        names: &["library/mongo"],
        ending: "_FILE",
        variables: Variables::These(&["MONGO_INITDB_ROOT_PASSWORD", "MONGO_INITDB_ROOT_USERNAME"]),
        read_by: Some(999),
    },
    // github.com/docker-library/redmine, docker-entrypoint.sh
    Images {
        names: &["library/redmine"],
        ending: "_FILE",
        variables: Variables::These(&["REDMINE_DB_PASSWORD", "REDMINE_DB_USERNAME"]),
        read_by: Some(999),
    },
    // github.com/influxdata/influxdata-docker, entrypoint.sh of influxdb 2
    Images {
        names: &["library/influxdb"],
        ending: "_FILE",
        variables: Variables::These(&[
            "DOCKER_INFLUXDB_INIT_PASSWORD",
            "DOCKER_INFLUXDB_INIT_USERNAME",
            "DOCKER_INFLUXDB_INIT_ADMIN_TOKEN",
        ]),
        read_by: Some(1000),
    },
    // github.com/grafana/grafana, packaging/docker/run.sh
    Images {
        names: &[
            "grafana/grafana",
            "grafana/grafana-oss",
            "grafana/grafana-enterprise",
        ],
        ending: "__FILE",
        variables: Variables::Beginning("GF_"),
        read_by: Some(472),
    },
];

/// The variable that names the file of a secret that is called like a variable of the image. Nothing for
/// an image that is built here, or started with another program: what is known is of its own script.
pub fn of(service: &Service, secret: &str) -> Option<FileVariable> {
    let images = images(service)?;
    images.variables.have(secret).then(|| FileVariable {
        name: format!("{secret}{}", images.ending),
        read_by: images.read_by,
    })
}

/// As whom an image that nobody says a user of reads the file that a variable names: root, until its
/// script becomes another. Of other files nothing is known: those who read them may be workers.
pub fn reader(service: &Service, variable: &str) -> Option<u32> {
    let images = images(service)?;
    let value = variable.strip_suffix(images.ending)?;
    let reader = images.read_by.unwrap_or(0);
    images.variables.have(value).then_some(reader)
}

fn images(service: &Service) -> Option<&'static Images> {
    let (image, _) = service.image.as_ref()?;
    if service.build.is_some() || service.entrypoint != Command::Absent {
        return None;
    }
    let name = name_in_docker_hub(repository(image)?)?;
    KNOWN.iter().find(|images| images.names.contains(&&*name))
}

/// An image without its tag and digest. `None` where a variable may be part of it.
fn repository(image: &str) -> Option<&str> {
    let (plain, computed) = image.split_at(image.find('$').unwrap_or(image.len()));
    let named = plain.split_once('@').map_or(plain, |(named, _)| named);
    let last = named.rfind('/').map_or(0, |slash| slash + 1);
    match named[last..].find(':') {
        Some(tag) => Some(&named[..last + tag]).filter(|_| !computed.contains('/')),
        None => computed.is_empty().then_some(named),
    }
}

/// `library/postgres` for `postgres`; a mirror of one's own has both parts at the end of its path.
fn name_in_docker_hub(repository: &str) -> Option<String> {
    let hub = DOCKER_HUB.iter();
    let in_hub = hub
        .filter_map(|host| repository.strip_prefix(host)?.strip_prefix('/'))
        .next();
    let parts: Vec<&str> = in_hub.unwrap_or(repository).split('/').collect();
    match parts.as_slice() {
        [name] => Some(format!("library/{name}")),
        [.., owner, name] => Some(format!("{owner}/{name}")),
        [] => None,
    }
}

impl Variables {
    fn have(&self, variable: &str) -> bool {
        match self {
            Self::These(names) => names.contains(&variable),
            Self::Beginning(with) => variable.starts_with(with),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{name_in_docker_hub, repository};

    #[test]
    fn images_of_dockers_registry() {
        for (image, expected) in [
            ("postgres", Some("library/postgres")),
            ("postgres:${PG:-16}", Some("library/postgres")),
            (
                "docker.io/library/postgres:16@sha256:00",
                Some("library/postgres"),
            ),
            ("docker.io/postgres@sha256:00", Some("library/postgres")),
            (
                "public.ecr.aws/docker/library/mongo:7",
                Some("library/mongo"),
            ),
            (
                "registry.lab:5000/hub/library/mysql:8",
                Some("library/mysql"),
            ),
            ("grafana/grafana:11.1.0", Some("grafana/grafana")),
            ("lscr.io/linuxserver/mariadb", Some("linuxserver/mariadb")),
            (
                "registry.lab:5000/postgres:16",
                Some("registry.lab:5000/postgres"),
            ),
            ("${REGISTRY:-docker.io}/postgres:16", None),
            ("host:${PORT}/postgres", None),
            ("postgres$TAG", None),
        ] {
            let name = repository(image).and_then(name_in_docker_hub);
            assert_eq!(name.as_deref(), expected, "{image}");
        }
    }
}
