//! A set of failure classes in one byte: every leg of a plan has some.

use gatewright_types::api::FailureClass;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Classes(u8);

impl Classes {
    /// Those that a step without `on` stands in for.
    pub const USUAL: Self = Self::of(&FailureClass::USUAL);

    pub const fn of(classes: &[FailureClass]) -> Self {
        let mut set = 0;
        let mut rest = classes;
        while let [class, others @ ..] = rest {
            set |= bit(*class);
            rest = others;
        }
        Self(set)
    }

    pub const fn contains(self, class: FailureClass) -> bool {
        self.0 & bit(class) != 0
    }

    pub fn iter(self) -> impl Iterator<Item = FailureClass> {
        let all = FailureClass::ALL.iter().copied();
        all.filter(move |class| self.contains(*class))
    }
}

const fn bit(class: FailureClass) -> u8 {
    1 << (class as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_holds_what_it_was_made_of() {
        for classes in [
            &[] as &[_],
            &FailureClass::USUAL,
            FailureClass::ALL,
            &[FailureClass::Guardrail],
        ] {
            let set = Classes::of(classes);

            assert_eq!(set.iter().collect::<Vec<_>>(), classes);
        }
    }
}
