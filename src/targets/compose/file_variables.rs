//! Which images read the value of a variable from the file that a second variable names.
//!
//! Only images whose own start script does so, by the name that they have in Docker's registry; a
//! mirror keeps the last part of it. What is not here is not guessed: `variable` says it.

use super::base::{Command, Service};
use super::image_tag::name_and_tag;

/// A variable of an image that names a file.
#[derive(Debug, PartialEq, Eq)]
pub struct FileVariable {
    /// What it is called.
    pub name: String,
    /// Who reads the file, where that is not whoever the container starts as.
    pub read_by: Option<u32>,
}

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
        names: &["postgres", "postgis", "timescaledb", "pgvector"],
        ending: "_FILE",
        variables: Variables::These(&["POSTGRES_PASSWORD", "POSTGRES_USER", "POSTGRES_DB"]),
        read_by: None,
    },
    // github.com/docker-library/mysql, docker-entrypoint.sh
    Images {
        names: &["mysql"],
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
        names: &["mariadb"],
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
    // github.com/nextcloud/docker, docker-entrypoint.sh; others it reads as its workers.
    Images {
        names: &["nextcloud"],
        ending: "_FILE",
        variables: Variables::These(&[
            "NEXTCLOUD_ADMIN_PASSWORD",
            "NEXTCLOUD_ADMIN_USER",
            "MYSQL_PASSWORD",
            "MYSQL_USER",
            "POSTGRES_PASSWORD",
            "POSTGRES_USER",
        ]),
        read_by: None,
    },
    // github.com/docker-library/mongo, docker-entrypoint.sh
    Images {
        names: &["mongo"],
        ending: "_FILE",
        variables: Variables::These(&["MONGO_INITDB_ROOT_PASSWORD", "MONGO_INITDB_ROOT_USERNAME"]),
        read_by: Some(999),
    },
    // github.com/docker-library/redmine, docker-entrypoint.sh
    Images {
        names: &["redmine"],
        ending: "_FILE",
        variables: Variables::These(&["REDMINE_DB_PASSWORD", "REDMINE_DB_USERNAME"]),
        read_by: Some(999),
    },
    // github.com/influxdata/influxdata-docker, entrypoint.sh of influxdb 2
    Images {
        names: &["influxdb"],
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
        names: &["grafana", "grafana-oss", "grafana-enterprise"],
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

/// As whom an image reads such files that starts as nobody else said: root, until its script becomes
/// another.
pub fn reader(service: &Service) -> Option<u32> {
    images(service).map(|images| images.read_by.unwrap_or(0))
}

fn images(service: &Service) -> Option<&'static Images> {
    let (image, _) = service.image.as_ref()?;
    // Bitnami's images of the same names take other variables.
    let own = image.contains("bitnami") || service.entrypoint != Command::Absent;
    if service.build.is_some() || own {
        return None;
    }
    let (name, _) = name_and_tag(image)?;
    KNOWN.iter().find(|images| images.names.contains(&name))
}

impl Variables {
    fn have(&self, variable: &str) -> bool {
        match self {
            Self::These(names) => names.contains(&variable),
            Self::Beginning(with) => variable.starts_with(with),
        }
    }
}
