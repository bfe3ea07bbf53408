//! Text formats: templates whose values are quoted by the format's own rule, without being asked.
//!
//! The format is what a template's name ends in. A value is quoted wherever it is written, no
//! template can opt out, and a value that the format cannot carry is an error. A format without a
//! rule is an error too: a new one begins with a row in `FORMATS`.

mod apache;
mod caddy;
pub mod cron;
mod haproxy;
mod nginx;
mod python;
mod shell;
pub mod systemd;
mod templates;

use std::fmt;
use std::sync::LazyLock;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, ValueKind};
use minijinja::{AutoEscape, Environment, ErrorKind, Output, State, UndefinedBehavior, Value};

pub use apache::{
    DOLLAR as APACHE_DOLLAR, is_bare as is_bare_apache, is_expression as is_apache_expression,
    quote as quote_apache,
};
pub use caddy::{quote as quote_caddy, quote_literal as quote_caddy_literal};
pub use haproxy::{quote as quote_haproxy, quote_list as quote_haproxy_list};
pub use nginx::{DOLLAR as NGINX_DOLLAR, quote as quote_nginx};
pub use python::quote as quote_python;
pub use shell::quote as quote_sh;
use templates::TEMPLATES;

/// A text format: what its templates end in, and how it writes a value.
struct Format {
    suffix: &'static str,
    boolean: fn(bool) -> &'static str,
    quote: fn(&str) -> Result<String, String>,
}

const FORMATS: &[Format] = &[
    Format {
        suffix: ".caddyfile",
        boolean: |value| if value { "on" } else { "off" },
        quote: caddy::quote,
    },
    Format {
        suffix: ".cfg",
        boolean: |value| if value { "on" } else { "off" },
        quote: haproxy::quote,
    },
    Format {
        suffix: ".list",
        boolean: |value| if value { "on" } else { "off" },
        quote: haproxy::quote_list,
    },
    Format {
        suffix: ".conf",
        boolean: |value| if value { "on" } else { "off" },
        quote: nginx::quote,
    },
    Format {
        suffix: ".httpd",
        boolean: |value| if value { "on" } else { "off" },
        quote: apache::quote,
    },
    Format {
        suffix: ".py",
        boolean: |value| if value { "True" } else { "False" },
        quote: |text| Ok(python::quote(text)),
    },
    Format {
        suffix: ".sh",
        boolean: |value| if value { "true" } else { "false" },
        quote: shell::quote,
    },
    Format {
        suffix: ".service",
        boolean: |value| if value { "yes" } else { "no" },
        quote: systemd::quote,
    },
    Format {
        suffix: ".path",
        boolean: |value| if value { "yes" } else { "no" },
        quote: systemd::quote,
    },
    Format {
        suffix: ".timer",
        boolean: |value| if value { "yes" } else { "no" },
        quote: systemd::quote,
    },
];

/// What a template may do in all, in the engine's own unit (roughly one per instruction); a list
/// of 10,000 certificates takes a twentieth of it.
const FUEL: u64 = 20_000_000;

static ENGINE: LazyLock<Result<Environment<'static>, RenderError>> =
    LazyLock::new(|| engine(TEMPLATES));

/// Why a text could not be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RenderError {
    /// What is wrong; it names no value, since a value may be secret.
    pub message: String,
    /// The template.
    pub template: String,
    /// The line in the template, from 1, if the error has a place.
    pub line: Option<usize>,
}

/// Renders an embedded template.
///
/// # Errors
/// There is no such template, it uses a value that `context` lacks, or a value that the template's
/// format cannot carry.
pub fn text(template: &str, context: impl serde::Serialize) -> Result<String, RenderError> {
    let engine = ENGINE.as_ref().map_err(RenderError::clone)?;
    engine
        .get_template(template)
        .and_then(|found| found.render(Serde(&context)))
        .map_err(|error| RenderError::new(template, &error))
}

fn engine(templates: &[(&'static str, &'static str)]) -> Result<Environment<'static>, RenderError> {
    // Empty: the usual filters include `safe` and `tojson`, which would write values unquoted.
    let mut engine = Environment::empty();
    engine.set_undefined_behavior(UndefinedBehavior::Strict);
    engine.set_auto_escape_callback(|name| match format_of(name) {
        Some(format) => AutoEscape::Custom(format.suffix.into()),
        None => AutoEscape::None,
    });
    engine.set_formatter(write_value);
    engine.set_fuel(Some(FUEL));
    // Its debug information quotes the variables.
    engine.set_debug(false);
    engine.set_syntax(syntax()?);
    engine.add_filter("bare", apache::bare);
    engine.add_filter("comment", shell::comment);
    engine.add_filter("evaluated", nginx::evaluated);
    engine.add_filter("expand", shell::expand);
    engine.add_filter("expanded", python::expanded);
    engine.add_filter("fingerprint", shell::fingerprint);
    engine.add_filter("formatted", haproxy::formatted);
    engine.add_filter("header_value", apache::header_value);
    engine.add_filter("identifier", shell::identifier);
    engine.add_filter("line", systemd::line);
    engine.add_filter("setting", systemd::setting);
    engine.add_filter("specified", systemd::specified);
    engine.add_filter("length", minijinja::filters::length);
    engine.add_filter("literal", caddy::literal);
    engine.add_filter("pattern", apache::pattern);
    engine.add_filter("pem", shell::pem);
    engine.add_filter("plain", shell::plain);
    engine.add_filter("verbatim", nginx::verbatim);
    engine.add_filter("with_directory", shell::with_directory);
    for (name, source) in templates {
        engine
            .add_template(name, source)
            .map_err(|error| RenderError::new(name, &error))?;
    }
    Ok(engine)
}

fn syntax() -> Result<SyntaxConfig, RenderError> {
    SyntaxConfig::builder()
        .trim_blocks(true)
        .lstrip_blocks(true)
        .keep_trailing_newline(true)
        .build()
        .map_err(|error| RenderError::new("", &error))
}

fn format_of(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| name.ends_with(format.suffix))
}

fn write_value(out: &mut Output, state: &mut State, value: &Value) -> Result<(), minijinja::Error> {
    // An unknown suffix has no escaping, and neither has `{% autoescape false %}`.
    let AutoEscape::Custom(suffix) = state.auto_escape() else {
        return Err(refusal("this format has no rule for values"));
    };
    let format = format_of(suffix).ok_or_else(|| refusal("this format has no rule for values"))?;
    let text = match value.kind() {
        ValueKind::String if value.is_safe() => value.to_string(),
        ValueKind::String => (format.quote)(value.as_str().unwrap_or_default()).map_err(refusal)?,
        ValueKind::Bool => (format.boolean)(value.is_true()).to_owned(),
        ValueKind::Number => value.to_string(),
        other => {
            return Err(refusal(format!(
                "a value of kind {other} cannot be written"
            )));
        }
    };
    out.write_str(&text).map_err(minijinja::Error::from)
}

fn refusal(message: impl Into<String>) -> minijinja::Error {
    minijinja::Error::new(ErrorKind::InvalidOperation, message.into())
}

impl RenderError {
    fn new(template: &str, error: &minijinja::Error) -> Self {
        let inner = innermost(error);
        Self {
            message: match inner.detail() {
                Some(detail) => detail.to_owned(),
                None => inner.kind().to_string(),
            },
            template: inner.name().unwrap_or(template).to_owned(),
            line: inner.line(),
        }
    }
}

/// The error in the included template, rather than the one that says there was one.
fn innermost(error: &minijinja::Error) -> &minijinja::Error {
    let mut inner = error;
    while let Some(source) =
        std::error::Error::source(inner).and_then(|source| source.downcast_ref())
    {
        inner = source;
    }
    inner
}

impl fmt::Display for RenderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "template `{}`", self.template)?;
        if let Some(line) = self.line {
            write!(f, ", line {line}")?;
        }
        write!(f, ": {}", self.message)
    }
}

impl std::error::Error for RenderError {}

#[cfg(test)]
mod tests {
    use super::*;
    use minijinja::context;

    fn render(
        name: &'static str,
        source: &'static str,
        context: Value,
    ) -> Result<String, RenderError> {
        engine(&[(name, source)])?
            .get_template(name)
            .and_then(|template| template.render(context))
            .map_err(|error| RenderError::new(name, &error))
    }

    #[test]
    fn every_template_compiles() {
        assert_eq!(ENGINE.as_ref().err(), None);
        assert!(TEMPLATES.iter().all(|(name, _)| format_of(name).is_some()));
    }

    #[test]
    fn values_are_quoted_by_the_suffix() {
        let context = context! { name => "it's", flag => true, count => 3 };
        let written = render("a.sh", "x={{ name }} {{ flag }} {{ count }}\n", context);
        assert_eq!(written.as_deref(), Ok("x='it'\\''s' true 3\n"));
    }

    #[test]
    fn what_macros_and_blocks_capture_is_quoted_once() {
        let source = "{% macro m(v) %}<{{ v }}>{% endmacro %}{% set b %}[{{ name }}]{% endset %}{{ m(name) }}{{ b }}{{ name ~ b }}";
        let written = render("a.sh", source, context! { name => "$x" });
        assert_eq!(written.as_deref(), Ok("<'$x'>['$x']'$x['\\''$x'\\'']'"));
    }

    #[test]
    fn no_template_writes_a_value_unquoted() {
        for (source, message) in [
            ("{{ name|safe }}", "filter safe is unknown"),
            ("{{ name|tojson }}", "filter tojson is unknown"),
            (
                "{% autoescape false %}{{ name }}{% endautoescape %}",
                "this format has no rule for values",
            ),
            ("{{ missing }}", "undefined value"),
            ("{{ [name] }}", "a value of kind sequence cannot be written"),
            ("{{ none }}", "a value of kind none cannot be written"),
        ] {
            let error = render("a.sh", source, context! { name => "v" });
            assert_eq!(
                error.map_err(|error| error.message),
                Err(message.to_owned()),
                "{source}"
            );
        }
    }

    #[test]
    fn a_format_without_a_rule_is_an_error() {
        let error = render("a.ini", "x={{ name }}", context! { name => "v" });
        assert_eq!(
            error.map_err(|error| error.to_string()),
            Err("template `a.ini`, line 1: this format has no rule for values".to_owned())
        );
    }

    #[test]
    fn an_error_names_its_line_and_no_value() {
        let error = render("a.sh", "\n{{ name }}", context! { name => "hunter2\0" });
        assert_eq!(
            error.map_err(|error| error.to_string()),
            Err("template `a.sh`, line 2: a shell word cannot hold a NUL byte".to_owned())
        );
    }

    #[test]
    fn a_template_that_never_ends_is_stopped() {
        let source = "{% for a in range %}{% for b in range %}{% for c in range %}{% for d in range %}{% endfor %}{% endfor %}{% endfor %}{% endfor %}";
        let range: Vec<u32> = (0..1000).collect();
        let error = render("a.sh", source, context! { range });
        assert!(error.is_err_and(|error| error.message.contains("fuel")));
    }
}
