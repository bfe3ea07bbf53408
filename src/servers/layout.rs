//! How a configuration looks: blocks indented, never two empty lines.

/// The text with its blocks indented by `step`. A line that opens a block ends in ` {`, or is that
/// brace; no value ends so, since it is quoted or a semicolon follows it.
pub fn laid_out(text: &str, step: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut depth = 0_usize;
    let mut opened = false;
    for line in text.lines().map(str::trim) {
        if line.is_empty() {
            let already = opened || out.ends_with("\n\n");
            out.push_str(if already { "" } else { "\n" });
            continue;
        }
        if line == "}" {
            depth = depth.saturating_sub(1);
            out.truncate(out.trim_end_matches('\n').len() + 1);
        }
        out.push_str(&step.repeat(depth));
        out.push_str(line);
        out.push('\n');
        opened = (line == "{" || line.ends_with(" {")) && !line.starts_with('#');
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
    fn blocks_are_indented_and_lines_kept() {
        let text = "# a {\n\n\nserver {\n\n  listen 80;\n\n\n  location / {\nreturn 200 \" {\";\n\n}\n\n}\n\n\n";
        let expected = "# a {\n\nserver {\n    listen 80;\n\n    location / {\n        return 200 \" {\";\n    }\n}\n";
        assert_eq!(laid_out(text, "    "), expected);
    }
}
