//! What a definition of a task or job must say of secrets: for ECS and for Batch, which have the same in
//! different places.

use serde_json::{Value, json};

use super::statements::{given, keys_of_tasks};
use super::{KEY_UNCLEAR, NOT_FOR_TASKS, READS_NOTHING};
use crate::diagnostic::Diagnostic;
use crate::iam::{Arn, role as role_arn, secret};
use crate::model::iam::Role;
use crate::model::{Iam, Model, SecretDefinition, ServiceId};
use crate::spec::{GivenAs, Grants};

/// A file for each service and each of the two.
///
/// # Errors
/// What ECS cannot do with a secret.
pub fn definitions(
    model: &Model,
    iam: &Iam,
    role: &Role,
) -> Result<Vec<(String, Value)>, Vec<Diagnostic>> {
    let (mut all, mut found) = (Vec::new(), Vec::new());
    if role.grants == Grants::TaskSecrets {
        found.extend(keys_of_tasks(model, iam).filter_map(|(one, _)| unclear_key(one)));
    }
    for (id, span) in &role.services {
        let service = model.service(*id);
        if given(model, iam, *id).next().is_none() {
            let message = format!(
                "`{}` is given no secret out of AWS Secrets Manager that `{}` could read",
                service.name, role.key
            );
            found.push(
                Diagnostic::new(&READS_NOTHING, *span, message)
                    .also(service.place.key, "the service")
                    .help("name secrets of that store under its `secrets`, or take it out of the role"),
            );
        }
        found.extend(given(model, iam, *id).filter_map(|(_, _, one)| unclear_key(one)));
        if role.grants != Grants::TaskSecrets {
            continue;
        }
        for (one, _, definition) in given(model, iam, *id) {
            let name = &model.secret(one.secret).name;
            if ends_like_an_arn(&definition.stored) {
                let message = format!(
                    "the name `{}` would be taken for the end of a complete ARN",
                    definition.stored
                );
                found.push(
                    Diagnostic::new(&NOT_FOR_TASKS, definition.span, message)
                        .also(*span, "a task of ECS reads it by its ARN")
                        .help(
                            "end its `name` otherwise than with a hyphen and six letters or digits",
                        ),
                );
            }
            if one.given_as == GivenAs::File {
                let message = format!("`{name}` is given to `{}` as a file", service.name);
                found.push(
                    Diagnostic::new(&NOT_FOR_TASKS, one.span, message)
                        .also(*span, "a task of ECS has secrets in variables alone")
                        .help(format!("write `{{name: {name}, as: env}}`")),
                );
            }
        }
        let secrets = secrets(model, iam, *id);
        let execution = role_arn(iam.partition, &iam.account, &role.name);
        // One role after the other may start the same service.
        let with_secrets = iam.roles.iter().filter(|role| {
            let mut services = role.services.iter();
            role.grants == Grants::TaskSecrets && services.any(|(other, _)| other == id)
        });
        let file = match with_secrets.count() {
            1 => service.name.clone(),
            _ => format!("{}.{}", service.name, role.key),
        };
        all.push((
            format!("{file}.ecs.json"),
            json!({
                "executionRoleArn": execution,
                "containerDefinitions": [{"name": service.name, "secrets": secrets}],
            }),
        ));
        all.push((
            format!("{file}.batch.json"),
            json!({"containerProperties": {"executionRoleArn": execution, "secrets": secrets}}),
        ));
    }
    match found.is_empty() {
        true => Ok(all),
        false => Err(found),
    }
}

/// A key by its alias or bare id, by which policies know none.
fn unclear_key(definition: &SecretDefinition) -> Option<Diagnostic> {
    let (key, span) = definition.kms_key.as_ref()?;
    let arn = Arn::parse(key);
    if arn.is_some_and(|arn| arn.service == "kms" && arn.resource.starts_with("key/")) {
        return None;
    }
    let message = format!("a policy cannot name the key `{key}`");
    let unclear = Diagnostic::new(&KEY_UNCLEAR, *span, message);
    Some(unclear.help(
        "write its ARN, `arn:aws:kms:REGION:ACCOUNT:key/ID`: `aws kms describe-key` prints it",
    ))
}

/// A hyphen and six letters or digits, which Secrets Manager adds to the name of a secret in its ARN. It
/// takes a name that ends so for one to which they are added, and finds nothing (AWS Secrets Manager API
/// Reference, GetSecretValue, `SecretId`).
fn ends_like_an_arn(name: &str) -> bool {
    name.rsplit_once('-').is_some_and(|(_, end)| {
        end.len() == 6 && end.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// The variable, and where its value is. The ARN ends with the name: what Secrets Manager adds to it is
/// not known before the secret is there, and it finds the secret without.
fn secrets(model: &Model, iam: &Iam, service: ServiceId) -> Vec<Value> {
    given(model, iam, service)
        .map(|(one, region, definition)| {
            let arn = secret(iam.partition, region, &iam.account, &definition.stored);
            json!({"name": one.variable, "valueFrom": arn})
        })
        .collect()
}
