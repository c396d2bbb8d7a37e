//! Texts in builder methods, so that `Funnel::steps(["view", "purchase"]).within("7d")` needs no `?` at every word.

use crate::error::SpecError;
use crate::expr::{Expr, ExprError, IntoExpr};
use crate::time::TimeSpan;

/// The first text given to a builder method that could not be read; [`plan`](crate::engine::Analysis::plan) reports it.
///
/// Questions read from JSON never have one: their texts are read with them.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Deferred(Option<Unread>);

#[derive(Clone, Debug, PartialEq)]
enum Unread {
    Expr(&'static str, ExprError),
    Span(&'static str, String),
}

impl Deferred {
    /// Reads an expression for `field`, or keeps why it cannot be read.
    pub(crate) fn expr(&mut self, field: &'static str, expr: impl IntoExpr) -> Option<Expr> {
        match expr.into_expr() {
            Ok(expr) => Some(expr),
            Err(error) => {
                self.0.get_or_insert(Unread::Expr(field, error));
                None
            }
        }
    }

    /// Reads a length of time for `field`, or keeps why it cannot be read.
    pub(crate) fn span<S: TryInto<TimeSpan>>(
        &mut self,
        field: &'static str,
        span: S,
    ) -> Option<TimeSpan>
    where
        crate::Error: From<S::Error>,
    {
        match span.try_into() {
            Ok(span) => Some(span),
            Err(error) => {
                let problem = crate::Error::from(error).to_string();
                self.0.get_or_insert(Unread::Span(field, problem));
                None
            }
        }
    }

    /// What could not be read, as the error of a question.
    pub(crate) fn check(&self, analysis: &'static str) -> Result<(), SpecError> {
        match &self.0 {
            None => Ok(()),
            Some(Unread::Expr(field, source)) => Err(SpecError::Expr {
                analysis,
                field,
                source: source.clone(),
            }),
            Some(Unread::Span(field, problem)) => Err(SpecError::Field {
                analysis,
                field,
                problem: problem.clone(),
            }),
        }
    }
}
