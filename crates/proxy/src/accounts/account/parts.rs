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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_has_its_own_sum() {
        let mut parts = Parts::default();
        for (part, amount) in [(7, 1), (8, 10), (8, 20), (7, 2), (9, -5)] {
            parts.add(part, amount);
        }

        assert_eq!(parts.iter().collect::<Vec<_>>(), [(7, 3), (8, 30), (9, -5)]);
        assert_eq!(parts.sum(), 28);
        parts.forget_before(8);
        assert_eq!((parts.sum(), parts.iter().count()), (25, 2));
        let (sum, told): (i64, Vec<_>) = (parts.sum(), parts.into());
        assert_eq!(told.iter().map(|(_, amount)| amount).sum::<i64>(), sum);
    }
}
