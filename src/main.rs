//! Arguments in, exit code out.
fn main() -> std::process::ExitCode {
    let world = tlsgen::world::Disk::new(std::path::Path::new(".")).unwrap();
    let mut s = tlsgen::source::Sources::default();
    let mut f = tlsgen::diagnostic::Diagnostics::default();
    let c = tlsgen::compile(&world, "tlsgen.yaml", &[], &mut s, &mut f);
    eprint!("{}", tlsgen::diagnostic::to_text(&f, &s, tlsgen::diagnostic::Style::Plain));
    if let Ok(c) = c { for a in &c.artifacts { println!("=== {} {:o} {}", a.path, a.mode, a.body.len()); if a.path.ends_with(".yml") { println!("{}", String::from_utf8_lossy(&a.body)); } } for n in c.notes { println!("note: {n}"); } }
    std::process::ExitCode::SUCCESS
}
