//! The AWS command line: how it is asked, and what its complaints come to.

use serde::Deserialize;

use super::Asked;
use crate::stores::value::json;
use crate::stores::{Complaint, Concerns, Ended, Failure, Outside, Place};

const STANDARD_INPUT: &str = "file:///dev/stdin";
/// Options of every call. Without the times an address that nobody answers at would hold it up for minutes.
const OPTIONS: [&str; 6] = [
    "--output",
    "json",
    "--cli-connect-timeout",
    "5",
    "--cli-read-timeout",
    "30",
];

/// What complaints come to: words of one of them, what it is, and what to do.
const COMPLAINTS: &[Complaint] = &[
    (
        &["Unable to locate credentials", "NoCredentials"],
        "`aws` has no credentials",
        "log in: `aws configure`, or `aws sso login`",
        Concerns::Store,
    ),
    (
        &["Partial credentials"],
        "`aws` has one half of the credentials",
        "set `AWS_SECRET_ACCESS_KEY` beside `AWS_ACCESS_KEY_ID`, or neither",
        Concerns::Store,
    ),
    (
        &["config profile", "ProfileNotFound"],
        "`aws` has no such profile",
        "look at `AWS_PROFILE`, and at `aws configure list-profiles`",
        Concerns::Store,
    ),
    (
        &[
            "ExpiredToken",
            "RequestExpired",
            "token has expired",
            "session has expired",
            "session associated with this profile has expired",
            "UnrecognizedClient",
            "InvalidClientTokenId",
            "InvalidSignature",
            "SignatureDoesNotMatch",
            "security token included in the request",
        ],
        "AWS does not take these credentials",
        "log in again: `aws sso login`, or renew the keys; `aws sts get-caller-identity` says whether they work",
        Concerns::Store,
    ),
    (
        &["kms", "AccessDenied"],
        "AWS denies access, or the use of the key",
        "it takes kms:Decrypt and kms:GenerateDataKey of the key, for whoever pushes",
        Concerns::Secret,
    ),
    (
        &["AccessDenied"],
        "AWS denies access",
        "it takes secretsmanager:DescribeSecret, GetSecretValue, CreateSecret, PutSecretValue, UpdateSecret, TagResource and ListSecrets, and of a customer's key kms:Decrypt and kms:GenerateDataKey",
        Concerns::Secret,
    ),
    (
        &["Throttling", "TooManyRequests", "Rate exceeded"],
        "AWS has had too many requests",
        "wait a minute and push again: what is there already stays",
        Concerns::Secret,
    ),
    (
        &["LimitExceeded"],
        "a quota of the account is used up",
        "have the quotas of AWS Secrets Manager raised, or delete secrets that nobody uses",
        Concerns::Secret,
    ),
    (
        &["EncryptionFailure", "DecryptionFailure", "KMS"],
        "AWS cannot use the key of KMS",
        "look at `kms_key`: it must be in the same region, enabled, and let whoever pushes use it",
        Concerns::Secret,
    ),
    (
        &[
            "InvalidEndpoint",
            "Could not resolve host",
            "Invalid region",
            "Provided region_name",
        ],
        "there is no such region",
        "look at `region`, and at `AWS_REGION`",
        Concerns::Store,
    ),
    (
        &["specify a region", "NoRegion"],
        "`aws` knows no region",
        "write `region: …` beside the secret, have a target `iam`, or set `AWS_REGION`",
        Concerns::Store,
    ),
    (
        &[
            "marked for deletion",
            "scheduled for deletion",
            "marked deleted",
        ],
        "it is to be deleted",
        "take that back: `aws secretsmanager restore-secret --secret-id NAME`",
        Concerns::Secret,
    ),
    (
        &[
            "Could not connect",
            "Connect timeout",
            "Read timeout",
            "EndpointConnection",
            "Connection was closed",
            "ConnectionClosed",
        ],
        "AWS cannot be reached",
        "look at the network, the proxy and the region",
        Concerns::Store,
    ),
    (
        &[
            "InternalServiceError",
            "ServiceUnavailable",
            "InternalFailure",
        ],
        "AWS is out of order",
        "push again later: what is there already stays",
        Concerns::Secret,
    ),
    (
        &[
            "InvalidParameter",
            "ValidationException",
            "Parameter validation failed",
        ],
        "AWS does not take the name, the tags, the description or the key",
        "a name has letters, digits and `/_+=.@-`, a secret at most 50 tags with keys up to 128 and values up to 256 characters, none beginning with `aws:`",
        Concerns::Secret,
    ),
    (
        &["Invalid JSON", "Unknown options", "unrecognized arguments"],
        "this `aws` does not take what it is given on standard input",
        "install a newer version of the AWS command line",
        Concerns::Store,
    ),
];

/// Runs an operation; `longest` is the length of the value in what it is asked.
pub fn ask(
    outside: &dyn Outside,
    place: Place<'_>,
    operation: &str,
    asked: &Asked<'_>,
    longest: usize,
) -> Result<Ended, Failure> {
    let input = json(asked, longest)?;
    let mut words = vec!["aws", "secretsmanager", operation];
    words.extend(OPTIONS);
    if let Some(region) = place.region {
        words.extend(["--region", region]);
    }
    words.extend(["--cli-input-json", STANDARD_INPUT]);
    let ended = outside.run(&words, Some(&input));
    ended.map_err(|error| missing(&error))
}

/// Whether it keeps a history of what it sends and is answered, or cannot be asked that.
pub fn complaint_of_history(outside: &dyn Outside) -> Option<Failure> {
    let asked = outside.run(&["aws", "configure", "get", "cli_history"], None);
    let ended = match asked {
        Ok(ended) => ended,
        Err(error) => return Some(missing(&error)),
    };
    let enabled = ended.succeeded() && ended.output.trim_ascii() == b"enabled";
    enabled.then(|| {
        Failure::new(
            "`aws` keeps a history of what it sends, which would be every value",
            "switch it off: `aws configure set cli_history disabled`, and remove `~/.aws/cli/history`",
        )
    })
}

/// What an operation answered.
pub fn read<'a, T: Deserialize<'a>>(ended: &'a Ended) -> Result<T, Failure> {
    // What is wrong with it could repeat a part of it.
    serde_json::from_slice(&ended.output).map_err(|_| {
        Failure::new(
            "`aws` printed something else than was asked for",
            "look whether `aws` is the AWS command line: `aws --version`",
        )
    })
}

/// What a complaint comes to, without a word of it.
pub fn refused(ended: &Ended, place: Place<'_>) -> Failure {
    let stored = &place.definition.stored;
    let mut all = COMPLAINTS.iter();
    let known = all.find(|(words, ..)| match words {
        ["kms", both @ ..] => ended.complains_of(&["kms:"]) && ended.complains_of(both),
        words => ended.complains_of(words),
    });
    let code = ended.code_in_words();
    let unknown = (
        "AWS refused",
        "run `aws secretsmanager describe-secret --secret-id NAME` by hand to see why",
        Concerns::Secret,
    );
    let (what, help, concerns) = known.map_or(unknown, |(_, what, help, concerns)| {
        (*what, *help, *concerns)
    });
    let failure = Failure::new(
        format!("`{stored}`: {what} ({code})"),
        help.replace("NAME", stored),
    );
    match concerns {
        Concerns::Store => failure.of_store(),
        Concerns::Secret => failure,
    }
}

fn missing(error: &std::io::Error) -> Failure {
    Failure::of_start("aws", error, "the AWS command line")
}
