//! How a configuration looks: sections indented, never two empty lines.

const STEP: &str = "    ";

/// The text with its sections indented. A line is of a section if it begins with `<`; a value never
/// does, since a directive stands before it.
pub fn laid_out(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut depth = 0_usize;
    let mut opened = false;
    for line in text.lines().map(str::trim) {
        if line.is_empty() {
            let already = opened || out.ends_with("\n\n");
            out.push_str(if already { "" } else { "\n" });
            continue;
        }
        if line.starts_with("</") {
            depth = depth.saturating_sub(1);
            out.truncate(out.trim_end_matches('\n').len() + 1);
        }
        out.push_str(&STEP.repeat(depth));
        out.push_str(line);
        out.push('\n');
        opened = line.starts_with('<') && !line.starts_with("</");
        depth += usize::from(opened);
    }
    out.truncate(out.trim_end_matches('\n').len());
    out.push('\n');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sections_are_indented_and_lines_kept() {
        let text = "# a\n\n\n<VirtualHost *:80>\n\n  ServerName a\n\n\n  <Location \"/\">\nRequire all granted\n\n</Location>\n\n</VirtualHost>\n\n\n";
        let expected = "# a\n\n<VirtualHost *:80>\n    ServerName a\n\n    <Location \"/\">\n        Require all granted\n    </Location>\n</VirtualHost>\n";
        assert_eq!(laid_out(text), expected);
    }
}
