//! Who bears what is nobody's own. Amounts are whole nano-dollars, and the parts are the whole: what whole numbers leave
//! over goes one by one to those who are cut short the most.

use gatewright_types::api::{ChargebackKind, SharedCost};

/// What is known of a row when shared cost is spread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Bearer {
    pub(super) kind: ChargebackKind,
    /// How many a row stands for.
    pub(super) subjects: u64,
    pub(super) direct: i64,
}

/// What each row bears of shared cost; all together nothing: what some bear is taken off others.
pub(super) fn allocated(shared_cost: SharedCost, rows: &[Bearer]) -> Vec<i64> {
    let weights = match shared_cost {
        SharedCost::Separate => return vec![0; rows.len()],
        SharedCost::Proportional => weights(rows, |row| u64::try_from(row.direct).unwrap_or(0)),
        SharedCost::Even => weights(rows, |row| row.subjects),
    };
    // Where nobody's own cost says how much is theirs, all bear alike.
    let weights = match weights.iter().all(|weight| *weight == 0) {
        true => self::weights(rows, |row| row.subjects),
        false => weights,
    };
    if weights.iter().all(|weight| *weight == 0) {
        return vec![0; rows.len()];
    }
    let pool = rows.iter().filter(|row| !bears(row.kind)).map(|row| row.direct).sum();
    let parts = parts(pool, &weights);
    let share = |(row, part): (&Bearer, i64)| if bears(row.kind) { part } else { -row.direct };
    rows.iter().zip(parts).map(share).collect()
}

const fn bears(kind: ChargebackKind) -> bool {
    match kind {
        ChargebackKind::Own | ChargebackKind::Rest => true,
        ChargebackKind::Shared | ChargebackKind::Unassigned => false,
    }
}

fn weights(rows: &[Bearer], of: impl Fn(&Bearer) -> u64) -> Vec<u64> {
    let weight = |row: &Bearer| if bears(row.kind) { of(row) } else { 0 };
    rows.iter().map(weight).collect()
}

/// Divides an amount, of either sign, in proportion to weights of which one at least is not zero.
fn parts(amount: i64, weights: &[u64]) -> Vec<i64> {
    let all: u128 = weights.iter().copied().map(u128::from).sum();
    let whole = u128::from(amount.unsigned_abs());
    let exact = |weight: &u64| (whole * u128::from(*weight) / all, whole * u128::from(*weight) % all);
    let mut shares: Vec<(u128, u128)> = weights.iter().map(exact).collect();
    let given: u128 = shares.iter().map(|(share, _)| share).sum();
    let left_over = usize::try_from(whole - given).unwrap_or(usize::MAX);
    let mut order: Vec<usize> = (0..shares.len()).collect();
    // Stable: of those who are cut short alike, the first comes first.
    order.sort_by_key(|at| std::cmp::Reverse(shares.get(*at).map(|(_, cut)| *cut)));
    for at in order.into_iter().take(left_over) {
        if let Some((share, _)) = shares.get_mut(at) {
            *share += 1;
        }
    }
    let signed = |(share, _): (u128, u128)| {
        let share = i64::try_from(share).unwrap_or(i64::MAX);
        if amount < 0 { -share } else { share }
    };
    shares.into_iter().map(signed).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::{Strategy, any, prop_assert, prop_assert_eq, prop_assume, proptest};

    use super::*;

    const fn row(kind: ChargebackKind, direct: i64) -> Bearer {
        Bearer {
            kind,
            subjects: 1,
            direct,
        }
    }

    #[test]
    fn shared_cost_is_kept_apart_or_borne_by_the_others() {
        use ChargebackKind::{Own, Shared, Unassigned};
        let rows = [row(Own, 30), row(Own, 10), row(Shared, 5), row(Unassigned, 2)];

        assert_eq!(allocated(SharedCost::Separate, &rows), [0, 0, 0, 0]);
        assert_eq!(allocated(SharedCost::Proportional, &rows), [5, 2, -5, -2]);
        assert_eq!(allocated(SharedCost::Even, &rows), [4, 3, -5, -2]);
    }

    #[test]
    fn what_nobody_can_bear_stays_where_it_is() {
        let rows = [row(ChargebackKind::Unassigned, 7)];

        for shared_cost in SharedCost::ALL {
            assert_eq!(allocated(shared_cost, &rows), [0], "{shared_cost:?}");
        }
    }

    #[test]
    fn who_cost_nothing_bears_alike_when_nobody_cost_anything() {
        use ChargebackKind::{Own, Unassigned};
        let rows = [row(Own, 0), row(Own, 0), row(Unassigned, 9)];

        assert_eq!(allocated(SharedCost::Proportional, &rows), [5, 4, -9]);
    }

    fn bearers() -> impl Strategy<Value = Vec<Bearer>> {
        let one = (0..4_usize, 0..5_u64, any::<i32>(), 0..3_u8).prop_map(|(kind, subjects, direct, scale)| Bearer {
            kind: ChargebackKind::ALL[kind],
            subjects,
            direct: i64::from(direct) * [1, 1_000, 1_000_000_000][usize::from(scale)] / 7,
        });
        proptest::collection::vec(one, 0..40)
    }

    proptest! {
        #[test]
        fn what_is_borne_is_what_is_taken_off(rows in bearers(), way in 0..3_usize) {
            let shares = allocated(SharedCost::ALL[way], &rows);

            prop_assert_eq!(shares.len(), rows.len());
            prop_assert_eq!(shares.iter().map(|share| i128::from(*share)).sum::<i128>(), 0);
        }

        #[test]
        fn parts_are_the_whole_and_none_is_off_by_one(amount in any::<i64>(), weights in proptest::collection::vec(any::<u64>(), 1..50)) {
            let all: u128 = weights.iter().copied().map(u128::from).sum();
            prop_assume!(all > 0);
            let amount = amount.max(-i64::MAX);

            let parts = parts(amount, &weights);

            prop_assert_eq!(parts.iter().map(|part| i128::from(*part)).sum::<i128>(), i128::from(amount));
            for (part, weight) in parts.iter().zip(&weights) {
                let exact = u128::from(amount.unsigned_abs()) * u128::from(*weight) / all;
                let part = u128::from(part.unsigned_abs());
                prop_assert!(part == exact || part == exact + 1, "{part} of {exact}");
            }
        }
    }
}
