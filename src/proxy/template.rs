//! Templates of `[headers.set]`: compiled at start, bounded when they run.

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, UndefinedBehavior, Value, escape_formatter};
use serde::Serialize;

/// Steps that one template may take.
const FUEL: u64 = 50_000;
/// Calls within calls.
const DEPTH: usize = 32;

/// Why a template gave nothing.
#[derive(Debug, thiserror::Error)]
pub(super) enum TemplateError {
    /// It is written wrongly.
    #[error("template cannot be read")]
    Syntax(#[source] minijinja::Error),
    /// It failed, took too many steps or wrote too much.
    #[error("template failed")]
    Run(#[source] minijinja::Error),
}

/// All templates of the settings, by number.
#[derive(Debug)]
pub(super) struct Templates {
    environment: Environment<'static>,
}

impl Templates {
    pub(super) fn new() -> Self {
        let mut environment = Environment::new();
        // What is not there is empty, at any depth: `user['urn:…'].department` of somebody without a department.
        environment.set_undefined_behavior(UndefinedBehavior::Chainable);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.set_formatter(|out, state, value| {
            if value.is_none() {
                return Ok(());
            }
            escape_formatter(out, state, value)
        });
        environment.set_fuel(Some(FUEL));
        environment.set_recursion_limit(DEPTH);
        Self { environment }
    }

    /// Compiles one, under its name.
    pub(super) fn add(&mut self, name: &str, source: &str) -> Result<(), TemplateError> {
        self.environment
            .add_template_owned(name.to_owned(), source.to_owned())
            .map_err(TemplateError::Syntax)
    }

    /// Runs one; a result over `most` bytes is cut there, so that it is still seen to be too long.
    pub(super) fn run(
        &self,
        name: &str,
        context: &Value,
        most: usize,
    ) -> Result<String, TemplateError> {
        let mut out = Bounded {
            bytes: Vec::new(),
            most: most.saturating_add(1),
        };
        self.environment
            .get_template(name)
            .and_then(|template| {
                template
                    .render_captured_to(context.clone(), &mut out)
                    .map(drop)
            })
            .map_err(TemplateError::Run)?;
        Ok(String::from_utf8_lossy(&out.bytes).into_owned())
    }
}

/// What templates see.
pub(super) fn context(of: &impl Serialize) -> Value {
    Value::from(Serde(of))
}

struct Bounded {
    bytes: Vec<u8>,
    most: usize,
}

impl std::io::Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let room = self.most.saturating_sub(self.bytes.len());
        self.bytes.extend(bytes.iter().take(room));
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
