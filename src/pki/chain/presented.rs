//! What of a file of certificates goes with a key.

use std::fmt;

use super::order;
use crate::pki::certificate::Certificate;

/// A root was asked for, and none is known that issued the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoRoot {
    /// The subject that was looked for.
    pub issuer: String,
}

/// The leaf and its intermediates, each followed by its issuer, however the file has them.
///
/// The root is left out, since whoever does not have it would not believe it; with `roots` it is
/// added, from the chain itself or from those. What signed itself and stands alone is kept.
///
/// # Errors
/// [`NoRoot`], only with `roots`.
pub fn presented(
    chain: &[Certificate],
    roots: Option<&[Certificate]>,
) -> Result<Vec<Certificate>, NoRoot> {
    let order = order(chain);
    let path = order.path.iter().filter_map(|at| chain.get(*at));
    let mut path: Vec<Certificate> = path.cloned().collect();
    match (roots, path.last()) {
        (None, Some(_)) if order.ends_in_root && path.len() > 1 => {
            path.pop();
        }
        (Some(roots), Some(last)) if !order.ends_in_root => {
            let root = roots.iter().find(|root| last.issued_by(root));
            let root = root.ok_or_else(|| NoRoot {
                issuer: last.issuer().to_owned(),
            })?;
            path.push(root.clone());
        }
        _ => {}
    }
    Ok(path)
}

impl fmt::Display for NoRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "no root `{}` is among the authorities", self.issuer)
    }
}

impl std::error::Error for NoRoot {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pki::certificate::fixture;

    #[test]
    fn the_root_is_there_when_it_is_asked_for() {
        let [leaf, issuing, root] = ["leaf", "corp-issuing", "corp-root"].map(fixture);
        let short = [leaf.clone(), issuing.clone()];
        let whole = [leaf.clone(), issuing.clone(), root.clone()];
        let mixed = [root.clone(), leaf, issuing];
        for chain in [&whole, &mixed] {
            assert_eq!(presented(chain, None), Ok(short.to_vec()));
            assert_eq!(presented(chain, Some(&[])), Ok(whole.to_vec()));
        }
        assert_eq!(presented(&short, None), Ok(short.to_vec()));
        let roots = [fixture("other-root"), root.clone()];
        assert_eq!(presented(&short, Some(&roots)), Ok(whole.to_vec()));
        let none = presented(&short, Some(&roots[..1])).expect_err("no root");
        assert!(none.to_string().contains("Corp Root CA"), "{none}");
        assert_eq!(presented(&whole[2..], None), Ok(vec![root]));
    }
}
