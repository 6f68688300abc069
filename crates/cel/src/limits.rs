//! What an expression may cost, to compile and to evaluate. They bound what a configuration can do to a node that
//! serves other organizations too.

/// Bytes of source.
pub const SOURCE_BYTES: usize = 10_000;

/// How deep an expression may nest; bounds the stack of parser, checker and evaluator.
pub const DEPTH: usize = 64;

/// Parts of an expression: operators, calls, names, literals.
pub const NODES: usize = 2_000;

/// Steps of one evaluation. A part costs one, and text and lists cost more by their length.
pub const STEPS: u32 = 10_000;

/// Bytes of text that are copied, compared or searched in one step.
pub(crate) const BYTES_OF_A_STEP: usize = 64;

/// Bytes of text times bytes of pattern that a regular expression gets for one step.
pub(crate) const PATTERN_BYTES_OF_A_STEP: usize = 256;

/// Bytes that a compiled regular expression may take; `\w{20}` takes about a quarter of it.
pub(crate) const PATTERN_BYTES: usize = 1 << 20;
