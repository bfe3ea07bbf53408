//! Identity and access management of AWS: what a policy document says, what actions take, how long a
//! document may be, how one is joined into another. Facts, no judgement.

mod actions;
mod arn;
mod condition;
mod cover;
mod difference;
mod document;
mod grants;
mod merge;
mod partition;
mod read;
mod size;
mod words;

pub use actions::{Access, Action, action, takes_resources};
pub use arn::{
    Arn, MANAGED_EXECUTION, cluster, managed_policy, oidc_provider, role, secret,
    secret_with_suffix, source,
};
pub use condition::asks_for;
pub use cover::{covers, overlaps};
pub use difference::{Change, difference};
pub use document::{Condition, Document, Effect, Principal, Resource, Statement};
pub use grants::{Grant, grants};
pub use merge::{Merged, merge};
pub use partition::Partition;
pub use read::{Purpose, Unreadable, holder_of_answer, is_for, name_of_answer, read, statements};
pub use size::{Holder, POLICIES_PER_ROLE, size, split};
pub use words::sid;
