//! The block that tlsgen writes into ignore files of the project.

use std::borrow::Cow;

/// The line above the block.
pub const BEGIN: &str = "# tlsgen: begin";

/// The line below it.
pub const END: &str = "# tlsgen: end";

/// Whether the lines of the block count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Block {
    /// The file as it is.
    Counts,
    /// As if tlsgen had never written into it.
    LeftOut,
}

impl Block {
    /// The text that counts. A block that is not closed is none: what follows it is the user's.
    pub(super) fn apply(self, text: &[u8]) -> Cow<'_, [u8]> {
        if self == Self::Counts || find(text, END).is_none() {
            return Cow::Borrowed(text);
        }
        let (mut kept, mut rest) = (Vec::with_capacity(text.len()), text);
        while let Some((begin, inside)) = find(rest, BEGIN) {
            let Some((_, after)) = find(inside, END) else {
                break;
            };
            kept.extend_from_slice(begin);
            rest = after;
        }
        kept.extend_from_slice(rest);
        Cow::Owned(kept)
    }
}

/// What stands before and after a line.
fn find<'t>(text: &'t [u8], wanted: &str) -> Option<(&'t [u8], &'t [u8])> {
    let mut start = 0;
    for line in text.split_inclusive(|byte| *byte == b'\n') {
        let end = start + line.len();
        if line.trim_ascii_end() == wanted.as_bytes() {
            return Some((text.get(..start)?, text.get(end..)?));
        }
        start = end;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_block_is_left_out_and_nothing_else() {
        let without = |text: &str| {
            String::from_utf8(Block::LeftOut.apply(text.as_bytes()).into_owned()).unwrap()
        };
        let text = "a\r\n# tlsgen: begin\r\n/key\r\n# tlsgen: end\r\nb\n";
        assert_eq!(without(text), "a\r\nb\n");
        assert_eq!(without("# tlsgen: begin\n/key\n# tlsgen: end"), "");
        for kept in [
            "# tlsgen: begin\nkey\n",
            "key\n# tlsgen: end\n",
            "# tlsgen: end\nkey\n# tlsgen: begin\n",
            " # tlsgen: begin\nkey\n# tlsgen: end\n",
        ] {
            assert_eq!(without(kept), kept);
        }
        assert_eq!(Block::Counts.apply(text.as_bytes()), text.as_bytes());
    }
}
