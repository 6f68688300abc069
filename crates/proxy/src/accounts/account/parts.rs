//! What was spent, by the part of time it counts in.

/// Almost always it is more of the last one.
#[derive(Debug, Default)]
pub(super) struct Parts {
    parts: Vec<(i64, i64)>,
    sum: i64,
}

impl Parts {
    pub(super) fn add(&mut self, part: i64, amount: i64) {
        self.sum += amount;
        match self.parts.iter_mut().rfind(|(known, _)| *known == part) {
            Some((_, spent)) => *spent += amount,
            None => self.parts.push((part, amount)),
        }
    }

    pub(super) const fn sum(&self) -> i64 {
        self.sum
    }

    pub(super) const fn is_empty(&self) -> bool {
        self.parts.is_empty()
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (i64, i64)> {
        self.parts.iter().copied()
    }

    pub(super) fn forget_before(&mut self, first: i64) {
        self.parts.retain(|(part, _)| *part >= first);
        self.sum = self.parts.iter().map(|(_, spent)| spent).sum();
    }
}

impl From<Parts> for Vec<(i64, i64)> {
    fn from(parts: Parts) -> Self {
        parts.parts
    }
}
