//! Which keys of a caller's map an expression reads, as far as it names them.

use std::collections::BTreeSet;

use crate::plan::{Call, Index, Step, Transform};
use crate::syntax::Binary;
use crate::value::Value;

#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Keys {
    /// `x-tier` of `request.headers["x-tier"]`.
    pub named: BTreeSet<String>,
    /// It may read any other, too.
    pub others: bool,
}

impl Keys {
    pub(crate) fn gather(&mut self, step: &Step, path: &str) {
        let is_the_map = |step: &Step| matches!(step, Step::Path(read) if **read == *path);
        match step {
            Step::Constant(_) | Step::HasPath(_) | Step::Local(_) => {}
            Step::Path(read) => self.others |= **read == *path,
            Step::Index(index) => {
                let Index { of, key, text: _ } = &**index;
                match key.constant() {
                    Some(Value::String(key)) if is_the_map(of) => self.name(key),
                    _ => self.gather_all([of, key], path),
                }
            }
            Step::Has(of, key) if is_the_map(of) => self.name(key),
            Step::Binary(Binary::In, parts) => match (parts.0.constant(), &parts.1) {
                (Some(Value::String(key)), of) if is_the_map(of) => self.name(key),
                _ => self.gather_all([&parts.0, &parts.1], path),
            },
            Step::Has(of, _) | Step::Matches(of, _) | Step::Not(of) | Step::Negate(of) => self.gather(of, path),
            Step::Binary(_, parts) | Step::Quantify(_, parts) => self.gather_all([&parts.0, &parts.1], path),
            Step::Call(call) => {
                let Call { subject, arguments, .. } = &**call;
                self.gather(subject, path);
                self.gather_all(arguments.iter(), path);
            }
            Step::List(steps) | Step::And(steps) | Step::Or(steps) => self.gather_all(steps.iter(), path),
            Step::Map(entries) => entries
                .iter()
                .for_each(|(key, value)| self.gather_all([key, value], path)),
            Step::Choose(parts) => self.gather_all([&parts.0, &parts.1, &parts.2], path),
            Step::Transform(transform) => {
                let Transform { over, only, to } = &**transform;
                self.gather(over, path);
                self.gather_all(only.iter().chain(to), path);
            }
        }
    }

    fn gather_all<'s>(&mut self, steps: impl IntoIterator<Item = &'s Step>, path: &str) {
        steps.into_iter().for_each(|step| self.gather(step, path));
    }

    fn name(&mut self, key: &str) {
        self.named.insert(key.to_owned());
    }
}

#[cfg(test)]
mod tests {
    use crate::{Declarations, Expression, Type};

    #[test]
    fn keys_are_known_where_they_are_written() {
        let declared = Declarations::new().variable(
            "request",
            Type::Object(&[("headers", Type::Map(&Type::String)), ("user", Type::String)]),
        );
        let check = |source: &str, named: &[&str], others: bool| {
            let keys = Expression::compile(source, &declared)
                .expect(source)
                .keys_of("request.headers");
            let found: Vec<_> = keys.named.iter().map(String::as_str).collect();
            assert_eq!((found.as_slice(), keys.others), (named, others), "{source}");
        };

        check(r#"request.headers["x-tier"] == "free""#, &["x-tier"], false);
        check(
            r#""a" in request.headers || request.headers.b != "c""#,
            &["a", "b"],
            false,
        );
        check(
            r#"has(request.headers.d) ? request.headers["e"] : "f""#,
            &["d", "e"],
            false,
        );
        check(r#"request.headers.exists(name, name == "x")"#, &[], true);
        check(r#"request.headers[request.user] == request.headers["y"]"#, &["y"], true);
        check(
            r#"size([request.headers["z"]]) > 0 && !(request.user.contains("q"))"#,
            &["z"],
            false,
        );
        check("size(request.headers) == 1", &[], true);
        check(r#"request.user == "u""#, &[], false);
    }
}
