//! What is read of a project's Compose files is what the real Compose makes of them.
//!
//! For each base Compose prints its merged model, once with an empty environment and once with some
//! variables set. Our view must name the same variables, mounts and commands; and an override that
//! repeats our view, every value of it, must change nothing.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::disallowed_methods,
    reason = "a test"
)]

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command as Process;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Map, Value, json};
use tlsgen::diagnostic::Diagnostic;
use tlsgen::source::Sources;
use tlsgen::targets::compose::base::{
    self, Base, Command, EnvironmentValue, MountKind, Service, Variable,
};
use tlsgen::world::Disk;

/// Environments that values must survive.
const ENVIRONMENTS: &[&[(&str, &str)]] = &[
    &[],
    &[
        ("HOST_ONLY", "from $HOST \"x\""),
        ("EMPTY", ""),
        ("SET_BY_DOT_ENV", "host"),
        ("PLAIN", "host plain"),
        ("BOTH", ""),
    ],
];

/// A set of Compose files in one directory.
struct Case {
    root: PathBuf,
    files: Vec<String>,
}

#[test]
fn bases_are_read_as_compose_does() {
    let Some(compose) = judge() else { return };
    let roots = directories(&manifest().join("tests/real/compose_bases"));
    assert!(roots.len() > 30, "only {} bases found", roots.len());
    all_agree(&roots, |root| {
        let case = Case::of_directory(root.to_path_buf());
        match std::fs::read_to_string(root.join("CODE")) {
            Ok(code) => refused(&compose, &case, code.trim()),
            Err(_) => compare(&compose, &case),
        }
    });
}

#[test]
fn files_of_real_projects_are_read_as_compose_does() {
    let Some(compose) = judge() else { return };
    let inputs = manifest().join("../shared/inputs");
    if !inputs.is_dir() {
        return skip("the folder of real inputs", "CI");
    }
    let files = compose_files(&inputs);
    assert!(
        files.len() >= 15,
        "only {} Compose files found",
        files.len()
    );
    all_agree(&files, |file| {
        match file.extension().is_some_and(|suffix| suffix == "tpl") {
            true => refused(&compose, &Case::alone(file), "templated-compose-file"),
            false => match accepted(&compose, file, &inputs) {
                Some(case) => compare(&compose, &case),
                None => Err("Compose accepts it neither alone nor with others".to_owned()),
            },
        }
    });
}

/// Asks about each of some paths, on every processor, and shows all disagreements.
fn all_agree(paths: &[PathBuf], ask: impl Fn(&Path) -> Result<(), String> + Sync) {
    let next = AtomicUsize::new(0);
    let failures = Mutex::new(Vec::new());
    let workers = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                while let Some(path) = paths.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(why) = ask(path) {
                        let failure = format!("{}: {why}", path.display());
                        failures.lock().unwrap().push(failure);
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// A file with those that it needs: an override makes sense only after what it overrides, and a file
/// may leave some of its parts to an override.
fn accepted(compose: &Path, file: &Path, inputs: &Path) -> Option<Case> {
    let above = file.ancestors().skip(1).take_while(|it| *it != inputs);
    let together = above.flat_map(|root| {
        let own = file.strip_prefix(root).unwrap().to_str().unwrap();
        let after = |with: &[&str]| {
            let mut files: Vec<String> = with.iter().map(|it| (*it).to_owned()).collect();
            files.retain(|it| root.join(it).is_file());
            if !files.iter().any(|it| it == own) {
                files.push(own.to_owned());
            }
            let root = root.to_path_buf();
            Case { root, files }
        };
        let mains = ["docker-compose.yml", "compose.yaml"];
        let examples = [mains[0], mains[1], "compose.override.yaml.example"];
        [after(&mains), after(&examples)]
    });
    let mut cases = std::iter::once(Case::alone(file)).chain(together);
    cases.find(|case| compose_config(compose, case, &[], None).is_ok())
}

fn manifest() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The real Compose.
fn judge() -> Option<PathBuf> {
    let installed = manifest().join("target/judges/bin/docker-compose");
    let path = std::env::var_os("TLSGEN_COMPOSE").map_or(installed, PathBuf::from);
    if path.is_file() {
        return Some(path);
    }
    skip("docker-compose", "TLSGEN_REQUIRE_JUDGES");
    None
}

/// Past the harness, which shows what a test prints only when it fails.
fn skip(what: &str, insisting: &str) {
    assert!(std::env::var_os(insisting).is_none(), "{what} is missing");
    let line = format!("skipped: {what} is missing\n");
    let _ = std::io::Write::write_all(&mut std::io::stderr(), line.as_bytes());
}

impl Case {
    fn alone(file: &Path) -> Self {
        Self {
            root: file.parent().unwrap().to_path_buf(),
            files: vec![file.file_name().unwrap().to_str().unwrap().to_owned()],
        }
    }

    /// The files that `FILES` lists, else the ones that Compose itself would take.
    fn of_directory(root: PathBuf) -> Self {
        let files = match std::fs::read_to_string(root.join("FILES")) {
            Ok(list) => list.lines().map(str::to_owned).collect(),
            Err(_) => ["compose.yaml", "compose.override.yaml"]
                .into_iter()
                .filter(|name| root.join(name).is_file())
                .map(str::to_owned)
                .collect(),
        };
        Self { root, files }
    }

    fn read(&self) -> Result<Base, Vec<Diagnostic>> {
        let mut sources = Sources::default();
        let asked = sources.add("tlsgen.yaml", "").start();
        let files: Vec<_> = self
            .files
            .iter()
            .map(|file| (file.clone(), asked))
            .collect();
        base::read(&Disk::new(&self.root).unwrap(), &mut sources, &files)
    }
}

/// What Compose prints, or what it says against it.
fn compose_config(
    compose: &Path,
    case: &Case,
    environment: &[(&str, &str)],
    over: Option<&Path>,
) -> Result<Value, String> {
    let mut process = Process::new(compose);
    process.current_dir(&case.root).env_clear();
    process
        .env("PATH", "/usr/bin:/bin")
        .env("HOME", "/home/user");
    process.envs(environment.iter().copied());
    process.args(["--project-name", "case", "--profile", "*"]);
    for file in &case.files {
        process.args(["--file", file]);
    }
    if let Some(over) = over {
        process.arg("--file").arg(over);
    }
    let output = process
        .args(["config", "--format", "json"])
        .output()
        .unwrap();
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    Ok(serde_json::from_slice(&output.stdout).unwrap())
}

fn refused(compose: &Path, case: &Case, code: &str) -> Result<(), String> {
    if compose_config(compose, case, &[], None).is_ok() {
        return Err("Compose accepts it".to_owned());
    }
    match case.read() {
        Ok(_) => Err("accepted".to_owned()),
        Err(found) if found.iter().all(|it| it.code.name == code) => Ok(()),
        Err(found) => Err(format!(
            "refused for another reason than {code}: {}",
            shown(&found)
        )),
    }
}

fn compare(compose: &Path, case: &Case) -> Result<(), String> {
    let base = case.read().map_err(|found| shown(&found))?;
    for environment in ENVIRONMENTS {
        let judged = compose_config(compose, case, environment, None)?;
        compare_services(&base, &judged, environment)?;
        let repeated = with_override(compose, case, environment, &repetition(&base))?;
        if repeated != judged {
            return Err(format!(
                "repeating it changes it: {}",
                difference(&judged, &repeated)
            ));
        }
    }
    replaces_mounts(compose, case, &base)
}

/// Whether a mount at each target that we name takes the place of what is there.
fn replaces_mounts(compose: &Path, case: &Case, base: &Base) -> Result<(), String> {
    let judged = compose_config(compose, case, &[], None)?;
    let remounted = with_override(compose, case, &[], &remounts(base))?;
    let replaced = |service: &&Service| {
        let mounts = |model: &Value| volumes(&model["services"][&service.name]).len();
        mounts(&remounted) == mounts(&judged)
    };
    match base.services.iter().find(|service| !replaced(service)) {
        Some(service) => Err(format!(
            "`{}`: a mount is not replaced at its target",
            service.name
        )),
        None => Ok(()),
    }
}

fn with_override(
    compose: &Path,
    case: &Case,
    environment: &[(&str, &str)],
    over: &Value,
) -> Result<Value, String> {
    let file = tempfile::NamedTempFile::with_suffix(".yaml").unwrap();
    std::fs::write(file.path(), over.to_string()).unwrap();
    compose_config(compose, case, environment, Some(file.path()))
        .map_err(|why| format!("{why}with {over}"))
}

/// An override that says what we know, and so changes nothing.
fn repetition(base: &Base) -> Value {
    each_service(base, |service| {
        let mut own = Map::new();
        let command = |command: &Command| match command {
            Command::Absent => None,
            Command::Line(line, _) => Some(json!(line)),
            Command::Words(words, _) => Some(json!(words)),
            Command::Emptied(_) => Some(json!([])),
        };
        own.extend(command(&service.command).map(|it| ("command".to_owned(), it)));
        own.extend(command(&service.entrypoint).map(|it| ("entrypoint".to_owned(), it)));
        if let Some((user, _)) = &service.user {
            own.insert("user".to_owned(), json!(user));
        }
        if let Some((image, _)) = &service.image {
            own.insert("image".to_owned(), json!(image));
        }
        if let Some((read_only, _)) = &service.read_only {
            own.insert("read_only".to_owned(), json!(read_only));
        }
        // Where one value cannot be written, the env file must keep giving it, and what it sees of
        // other variables there must stay the same.
        let unwritable = |it: &Variable| it.value == EnvironmentValue::Unwritable;
        let whole = !service.environment.iter().any(unwritable);
        let mut variables = Map::new();
        for variable in &service.environment {
            let own = variable.env_file.is_none();
            let value = match &variable.value {
                EnvironmentValue::Text(text) if own || whole => json!(text),
                // Of an env file, `NAME` alone says nothing where the caller has no such variable.
                EnvironmentValue::FromHost if own => Value::Null,
                _ => continue,
            };
            variables.insert(variable.name.clone(), value);
        }
        own.insert("environment".to_owned(), Value::Object(variables));
        own
    })
}

/// An override that mounts something else wherever something is mounted.
fn remounts(base: &Base) -> Value {
    each_service(base, |service| {
        let kinds = [MountKind::Bind, MountKind::Volume];
        let mounts = service
            .mounts
            .iter()
            .filter(|mount| kinds.contains(&mount.kind));
        let over = mounts.map(|mount| json!({"type": "tmpfs", "target": mount.target}));
        Map::from_iter([("volumes".to_owned(), over.collect())])
    })
}

fn each_service(base: &Base, of: impl Fn(&Service) -> Map<String, Value>) -> Value {
    let services = base.services.iter();
    let services: Map<String, Value> = services
        .map(|service| (service.name.clone(), Value::Object(of(service))))
        .collect();
    json!({ "services": services })
}

fn compare_services(
    base: &Base,
    judged: &Value,
    environment: &[(&str, &str)],
) -> Result<(), String> {
    let theirs: BTreeSet<&str> = keys(&judged["services"]);
    let ours: BTreeSet<&str> = base.services.iter().map(|it| it.name.as_str()).collect();
    same("services", &ours, &theirs)?;
    for service in &base.services {
        let model = &judged["services"][&service.name];
        compare_service(service, model, environment)
            .map_err(|why| format!("`{}`: {why}", service.name))?;
    }
    Ok(())
}

fn compare_service(
    service: &Service,
    model: &Value,
    environment: &[(&str, &str)],
) -> Result<(), String> {
    let theirs = keys(&model["environment"]);
    // A variable without a name is what an env file's last line without `=` makes.
    let theirs: BTreeSet<&str> = theirs.into_iter().filter(|name| !name.is_empty()).collect();
    let ours = service.environment.iter().filter(|variable| {
        let unset = variable.value == EnvironmentValue::FromHost
            && !environment.iter().any(|(name, _)| *name == variable.name);
        !(unset && variable.env_file.is_some())
    });
    same(
        "variables",
        &ours.map(|it| it.name.as_str()).collect(),
        &theirs,
    )?;
    for (name, ours, theirs) in [
        ("command", &service.command, &model["command"]),
        ("entrypoint", &service.entrypoint, &model["entrypoint"]),
    ] {
        let agree = match (ours, theirs) {
            (Command::Absent, Value::Null) => true,
            (Command::Emptied(_), Value::Array(words)) => words.is_empty(),
            (Command::Words(ours, _), Value::Array(words)) => ours.len() == words.len(),
            (Command::Line(..), Value::Array(words)) => !words.is_empty(),
            _ => false,
        };
        if !agree {
            return Err(format!("{name}: {ours:?}, and Compose says {theirs}"));
        }
    }
    same("user", &service.user.is_some(), &model["user"].is_string())?;
    same(
        "image",
        &service.image.is_some(),
        &model["image"].is_string(),
    )?;
    let read_only = service.read_only.is_some_and(|(read_only, _)| read_only);
    same("read_only", &read_only, &(model["read_only"] == true))?;
    let ours: Vec<&str> = service.mounts.iter().map(|it| it.target.as_str()).collect();
    same(
        "mounts",
        &sorted(ours),
        &sorted(mounts(model).iter().map(String::as_str).collect()),
    )
}

/// Every target of a service in Compose's model, as the container sees it.
fn mounts(model: &Value) -> Vec<String> {
    let mut targets = Vec::new();
    for volume in volumes(model) {
        let target = volume["target"].as_str().unwrap();
        targets.push(match target.trim_end_matches('/') {
            "" => target.to_owned(),
            trimmed => trimmed.to_owned(),
        });
    }
    for (section, directory) in [("secrets", "/run/secrets/"), ("configs", "/")] {
        for file in model[section].as_array().into_iter().flatten() {
            let target = file["target"].as_str().or_else(|| file["source"].as_str());
            let target = target.unwrap();
            targets.push(match target.starts_with('/') {
                true => target.to_owned(),
                false => format!("{directory}{target}"),
            });
        }
    }
    for tmpfs in model["tmpfs"].as_array().into_iter().flatten() {
        let text = tmpfs.as_str().unwrap();
        targets.push(text.split(':').next().unwrap().to_owned());
    }
    targets
}

fn volumes(model: &Value) -> Vec<&Value> {
    model["volumes"].as_array().into_iter().flatten().collect()
}

fn keys(value: &Value) -> BTreeSet<&str> {
    let map = value.as_object().into_iter().flatten();
    map.map(|(key, _)| key.as_str()).collect()
}

fn sorted(mut values: Vec<&str>) -> Vec<&str> {
    values.sort_unstable();
    values
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, ours: &T, theirs: &T) -> Result<(), String> {
    match ours == theirs {
        true => Ok(()),
        false => Err(format!("{what}: {ours:?}, and Compose says {theirs:?}")),
    }
}

/// The first place where two models differ.
fn difference(left: &Value, right: &Value) -> String {
    match (left, right) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            let key = keys
                .into_iter()
                .find(|key| a.get(*key) != b.get(*key))
                .unwrap();
            let (a, b) = (
                a.get(key).unwrap_or(&Value::Null),
                b.get(key).unwrap_or(&Value::Null),
            );
            format!("{key}.{}", difference(a, b))
        }
        _ => format!("\n  {left}\n  {right}"),
    }
}

fn shown(found: &[Diagnostic]) -> String {
    let found = found
        .iter()
        .map(|it| format!("{}: {}", it.code.name, it.message));
    found.collect::<Vec<_>>().join("; ")
}

fn directories(parent: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(parent).unwrap();
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    found.sort();
    found
}

/// Every file whose name tells of Compose, templates and examples included.
fn compose_files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for path in directories(directory) {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            found.extend(compose_files(&path));
        } else if name.contains("compose.") && name.contains(".y") {
            found.push(path);
        } else if name.contains("compose.") {
            eprintln!("passed over: {}", path.display());
        }
    }
    found
}
