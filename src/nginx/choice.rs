//! Which server block is meant.

use super::server_name::ServerName;
use super::tree::{ServerBlock, Tree};

/// Why no block was chosen, and what there is to choose from.
#[derive(Debug, Clone)]
pub struct Undecided<'t> {
    /// Why.
    pub reason: Reason,
    /// The blocks that come into question; all of them where none fits better.
    pub candidates: Vec<&'t ServerBlock>,
}

/// Why no block was chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// There is no server block at all.
    NoBlock,
    /// None says the `server_name` that was asked for.
    NotPinned,
    /// Several fit equally.
    Several,
    /// None serves one of the names, and there are several.
    NoneServes,
}

impl Tree {
    /// The block that says the pinned `server_name`; else the one that serves one of the names, by
    /// nginx's order (the name itself, then the longest wildcard); else the only one.
    ///
    /// Regular expressions are nginx's to match: a block chosen by one is pinned, by its word.
    ///
    /// # Errors
    /// When no block fits, or several do.
    pub fn block_for(
        &self,
        names: &[&str],
        pinned: Option<&str>,
    ) -> Result<&ServerBlock, Undecided<'_>> {
        let all: Vec<&ServerBlock> = self.servers.iter().collect();
        if all.is_empty() {
            return Err(Undecided {
                reason: Reason::NoBlock,
                candidates: all,
            });
        }
        let Some(pinned) = pinned else {
            return match serving(&all, names).as_slice() {
                [] => only(&all, Reason::NoneServes),
                best => only(best, Reason::Several),
            };
        };
        let wanted = ServerName::parse(pinned);
        let says = |block: &&&ServerBlock| match pinned {
            "" => block.names.is_empty() || block.names.iter().any(|named| named.name == wanted),
            _ => block.names.iter().any(|named| named.name == wanted),
        };
        let saying: Vec<&ServerBlock> = all.iter().filter(says).copied().collect();
        match saying.as_slice() {
            [] => Err(Undecided {
                reason: Reason::NotPinned,
                candidates: all,
            }),
            [one] => Ok(one),
            several => match serving(several, names).as_slice() {
                [one] => Ok(one),
                _ => Err(Undecided {
                    reason: Reason::Several,
                    candidates: saying,
                }),
            },
        }
    }
}

/// The blocks that serve the first of the names that any serves, as well as any does.
fn serving<'t>(blocks: &[&'t ServerBlock], names: &[&str]) -> Vec<&'t ServerBlock> {
    let of_name = |host: &&str| {
        let fits: Vec<_> = blocks
            .iter()
            .filter_map(|block| {
                Some((
                    block
                        .names
                        .iter()
                        .filter_map(|named| named.name.serves(host))
                        .max()?,
                    *block,
                ))
            })
            .collect();
        let best = fits.iter().map(|(fit, _)| *fit).max()?;
        Some(
            fits.into_iter()
                .filter(|(fit, _)| *fit == best)
                .map(|(_, block)| block)
                .collect(),
        )
    };
    names.iter().find_map(of_name).unwrap_or_default()
}

fn only<'t>(
    blocks: &[&'t ServerBlock],
    otherwise: Reason,
) -> Result<&'t ServerBlock, Undecided<'t>> {
    match blocks {
        [one] => Ok(one),
        _ => Err(Undecided {
            reason: otherwise,
            candidates: blocks.to_vec(),
        }),
    }
}
