//! What was spent of budgets and limits, and what nodes hold of them.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta};
use gatewright_contract::{Counting, Period};
use gatewright_coord::{
    Carry, CounterAnswer, CounterDemand, CounterStanding, Counters, Heard, Holder, LocalCounters, Recall,
    RedisCounters, Report, Right, Seed, Take, Taken,
};
use gatewright_types::{NodeId, OrganizationId};
use tokio::time::{Instant, sleep};

use crate::{PATIENCE, redis_url};

/// One for all of these tests: each has organizations of its own.
const DATABASE: u8 = 19;
const MINUTE: Duration = Duration::from_secs(60);
const KEY: &str = "budget";

pub(crate) fn both() -> Vec<Counters> {
    let shared = redis_url(DATABASE).map(|url| {
        let redis = gatewright_coord::Redis::open(&url).expect("a usable address");
        Counters::Redis(RedisCounters::new(redis))
    });
    std::iter::once(Counters::Local(LocalCounters::new()))
        .chain(shared)
        .collect()
}

/// A node that does what it is told, with counters of an organization that is seeded.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) counters: Counters,
    pub(crate) organization: OrganizationId,
    pub(crate) holder: Holder,
    pub(crate) number: u64,
}

impl Node {
    pub(crate) fn new(counters: &Counters, organization: OrganizationId) -> Self {
        let holder = Holder {
            node: NodeId::mint(),
            incarnation: 1,
        };
        Self {
            counters: counters.clone(),
            organization,
            holder,
            number: 0,
        }
    }

    pub(crate) async fn take(&mut self, demands: Vec<CounterDemand>) -> (bool, Vec<CounterAnswer>) {
        self.number += 1;
        self.repeat(demands).await
    }

    /// As a call that was on its way when the next one was made.
    async fn repeat(&self, demands: Vec<CounterDemand>) -> (bool, Vec<CounterAnswer>) {
        match self.taken(demands).await {
            Taken::Answered { granted, answers, .. } => (granted, answers),
            Taken::Unseeded => panic!("it is seeded"),
        }
    }

    async fn taken(&self, demands: Vec<CounterDemand>) -> Taken {
        let take = Take {
            organization: self.organization,
            holder: self.holder,
            number: self.number,
            demands,
        };
        self.counters.take(&take).await.expect("it answers")
    }

    /// Of one demand.
    async fn one(&mut self, demand: CounterDemand) -> (bool, CounterAnswer) {
        let (granted, answers) = self.take(vec![demand]).await;
        let [answer] = answers.as_slice() else {
            panic!("one demand has one answer: {answers:?}")
        };
        (granted, *answer)
    }
}

async fn seeded(counters: &Counters) -> OrganizationId {
    let organization = OrganizationId::mint();
    assert!(counters.seed(organization, &[]).await.expect("it answers"));
    organization
}

/// Asks for so much and nothing more.
fn ask(key: &str, cap: i64, required: i64) -> CounterDemand {
    CounterDemand {
        key: key.into(),
        cap,
        counting: Counting::Total,
        carry: None,
        lasts: MINUTE,
        report: None,
        held: 0,
        outstanding: 0,
        required,
        wished: required,
    }
}

fn report(number: u64, spent: i64) -> Option<Report> {
    Some(Report {
        number,
        parts: vec![(0, spent)],
    })
}

async fn standing(counters: &Counters, organization: OrganizationId, key: &str) -> CounterStanding {
    let mut standing = counters
        .standing(organization, &[key.into()])
        .await
        .expect("it answers");
    standing.pop().expect("one for each key")
}

async fn spent(counters: &Counters, organization: OrganizationId, key: &str) -> i64 {
    standing(counters, organization, key)
        .await
        .spent(Counting::Total, DateTime::UNIX_EPOCH)
}

#[tokio::test]
async fn leases_of_all_never_go_beyond_the_cap() {
    for counters in both() {
        let organization = seeded(&counters).await;
        let (mut one, mut other) = (Node::new(&counters, organization), Node::new(&counters, organization));

        let (granted, first) = one.one(ask(KEY, 100, 60)).await;
        assert!(granted);
        assert_eq!((first.lease, first.spent, first.leased_to_others), (60, 0, 0));
        let (granted, second) = other.one(ask(KEY, 100, 41)).await;
        assert!(!granted && second.lacks);
        assert_eq!((second.lease, second.leased_to_others), (0, 60));
        let (granted, second) = other.one(ask(KEY, 100, 40)).await;
        assert!(granted && !second.lacks);

        let known = standing(&counters, organization, KEY).await;
        assert_eq!(known.leased.values().sum::<i64>(), 100);
        assert_eq!(known.leased.get(&one.holder.node), Some(&60));
        assert_eq!(known.cap, Some(100));
    }
}

#[tokio::test]
async fn a_wish_is_a_share_of_what_is_left() {
    for counters in both() {
        let organization = seeded(&counters).await;
        let (mut one, mut other) = (Node::new(&counters, organization), Node::new(&counters, organization));
        let wish = |wished| CounterDemand {
            wished,
            ..ask(KEY, 1000, 1)
        };

        let (_, first) = one.one(wish(10)).await;
        let (_, second) = other.one(wish(5000)).await;

        assert_eq!(first.lease, 10);
        // Of 989 one of four parts for each of two nodes, and what it could not do without.
        assert_eq!((second.lease, second.nodes), (1 + 989 / 8, 2));
    }
}

#[tokio::test]
async fn all_is_leased_or_nothing_but_reports_and_what_is_given_back_count() {
    for counters in both() {
        let organization = seeded(&counters).await;
        let mut node = Node::new(&counters, organization);
        node.take(vec![ask("a", 10, 10), ask("b", 10, 4)]).await;

        let give_back_and_spend = CounterDemand {
            report: report(1, 3),
            held: 2,
            ..ask("a", 10, 2)
        };
        let too_much = ask("b", 10, 11);
        let (granted, answers) = node.take(vec![give_back_and_spend, too_much]).await;

        assert!(!granted);
        let [a, b] = answers.as_slice() else {
            panic!("two answers")
        };
        assert_eq!((a.lease, a.spent, a.lacks), (2, 3, false));
        assert_eq!((b.lease, b.spent, b.lacks), (0, 0, true));
    }
}

#[tokio::test]
async fn what_is_told_again_counts_once_and_what_arrives_late_not_at_all() {
    for counters in both() {
        let organization = seeded(&counters).await;
        let mut node = Node::new(&counters, organization);
        node.one(ask(KEY, 100, 50)).await;
        let told = CounterDemand {
            report: report(1, 20),
            held: 30,
            outstanding: 5,
            ..ask(KEY, 100, 5)
        };

        let (_, first) = node.one(told.clone()).await;
        let (_, again) = node.one(told.clone()).await;
        let (granted, late) = node.repeat(vec![ask(KEY, 100, 90)]).await;
        let (_, corrected) = node
            .one(CounterDemand {
                report: report(2, -4),
                held: 34,
                ..told
            })
            .await;

        assert_eq!((first.spent, first.lease), (20, 30));
        assert_eq!((again.spent, again.lease), (20, 30));
        assert!(
            !granted && late.iter().all(|answer| answer.lacks && answer.lease == 30),
            "{late:?}"
        );
        assert_eq!((corrected.spent, corrected.lease), (16, 34));
        assert_eq!(spent(&counters, organization, KEY).await, 16);
    }
}

#[tokio::test]
async fn what_cost_more_than_its_lease_counts_in_full() {
    for counters in both() {
        let organization = seeded(&counters).await;
        let mut node = Node::new(&counters, organization);
        node.one(ask(KEY, 10, 2)).await;

        let (granted, answer) = node
            .one(CounterDemand {
                report: report(1, 15),
                outstanding: 1,
                held: 1,
                ..ask(KEY, 10, 0)
            })
            .await;
        let (more, _) = node.one(ask(KEY, 10, 1)).await;

        assert!(granted && !more);
        assert_eq!((answer.spent, answer.lease), (15, 1));
    }
}

#[tokio::test]
async fn a_lease_ends_some_time_after_the_last_sign_of_life() {
    for counters in both() {
        let organization = seeded(&counters).await;
        let (mut dying, mut other) = (Node::new(&counters, organization), Node::new(&counters, organization));
        let short = CounterDemand {
            lasts: Duration::from_millis(200),
            ..ask(KEY, 100, 100)
        };
        let (granted, _) = dying.one(short).await;
        assert!(granted);

        let deadline = Instant::now() + PATIENCE;
        while !other.one(ask(KEY, 100, 100)).await.0 {
            assert!(Instant::now() < deadline, "the lease never ends");
            sleep(Duration::from_millis(20)).await;
        }

        // What it says it holds is not its own any more, but what it has under way is.
        let (_, back) = dying
            .one(CounterDemand {
                held: 100,
                outstanding: 7,
                ..ask(KEY, 100, 0)
            })
            .await;
        assert_eq!((back.lease, back.leased_to_others), (7, 100));
    }
}

#[tokio::test]
async fn holders_hear_that_others_need_what_they_hold() {
    for counters in both() {
        let organization = seeded(&counters).await;
        let mut recalls = counters.recalls();
        assert_eq!(recalls.next(PATIENCE).await, Heard::Missed);
        let (mut one, mut other) = (Node::new(&counters, organization), Node::new(&counters, organization));
        one.one(ask(KEY, 10, 8)).await;
        for _ in 0..3 {
            other.one(ask(KEY, 10, 5)).await;
        }

        let recall = loop {
            match recalls.next(PATIENCE).await {
                Heard::Tiding(text) => {
                    let recall = Recall::read(&text).expect("it can be read");
                    // Other tests share the channel.
                    if recall.organization == organization {
                        break recall;
                    }
                }
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(&*recall.key, KEY);
        let (_, told) = one
            .one(CounterDemand {
                held: 3,
                outstanding: 3,
                wished: 100,
                ..ask(KEY, 10, 3)
            })
            .await;
        // Who holds it gets no more than needed meanwhile.
        assert_eq!((told.lease, told.recalled), (3, true));
        let (granted, _) = other.one(ask(KEY, 10, 5)).await;
        assert!(granted);
    }
}

#[tokio::test]
async fn a_cap_grows_by_what_the_period_before_left() {
    for counters in both() {
        let organization = seeded(&counters).await;
        let mut node = Node::new(&counters, organization);
        node.one(ask("before", 100, 50)).await;
        let spent_before = CounterDemand {
            report: report(1, 30),
            held: 20,
            outstanding: 20,
            ..ask("before", 100, 0)
        };
        node.one(spent_before).await;
        let carrying = |required| CounterDemand {
            carry: Some(Carry {
                previous: "before".into(),
                amount: 100,
            }),
            ..ask("now", 200, required)
        };

        // Of 100, 30 are spent and 20 may be.
        let (granted, answer) = node.one(carrying(251)).await;
        assert!(!granted);
        assert_eq!(answer.cap, 250);
        node.one(CounterDemand {
            report: report(2, 5),
            ..ask("before", 100, 0)
        })
        .await;
        let (granted, answer) = node.one(carrying(251)).await;
        assert!(granted);
        assert_eq!(answer.cap, 265);

        let overspent = CounterDemand {
            report: report(3, 500),
            ..ask("before", 100, 0)
        };
        node.one(overspent).await;
        let (_, answer) = node.one(carrying(1)).await;
        assert_eq!(answer.cap, 200);
    }
}

#[tokio::test]
async fn what_was_spent_in_a_time_up_to_now_stops_to_count_part_by_part() {
    for counters in both() {
        let organization = seeded(&counters).await;
        let mut node = Node::new(&counters, organization);
        let counting = Counting::Rolling {
            part: TimeDelta::milliseconds(100),
            parts: 4,
        };
        let now = counters.now().await.expect("it answers");
        let part = counting.part(now);
        let rolling = |parts: &[(i64, i64)], number| CounterDemand {
            counting,
            report: Some(Report {
                number,
                parts: parts.to_vec(),
            }),
            ..ask(KEY, 10, 0)
        };

        // The first of these has passed already.
        let (_, answer) = node.one(rolling(&[(part - 10, 5), (part, 7), (part + 1, 2)], 1)).await;
        assert_eq!((answer.spent, answer.oldest_part), (9, Some(part)));

        let deadline = Instant::now() + PATIENCE;
        let mut seen = vec![answer.spent];
        while answer_of(&mut node, rolling(&[], 1)).await.spent > 0 {
            seen.push(answer_of(&mut node, rolling(&[], 1)).await.spent);
            assert!(Instant::now() < deadline, "it counts for ever");
            sleep(Duration::from_millis(5)).await;
        }
        let after = counters.now().await.expect("it answers");
        assert!(counting.part(after) > part + 4, "it stopped to count too early");
        assert!(
            seen.contains(&2),
            "the second part counts longer than the first: {seen:?}"
        );
    }
}

async fn answer_of(node: &mut Node, demand: CounterDemand) -> CounterAnswer {
    node.one(demand).await.1
}

const REQUESTS: &str = "limit/requests";

#[tokio::test]
async fn what_no_ledger_knows_waits_for_none() {
    for counters in both() {
        let organization = OrganizationId::mint();
        let mut node = Node::new(&counters, organization);

        let (granted, _) = node.one(ask(REQUESTS, 10, 8)).await;
        assert!(granted);
        let mut other = Node::new(&counters, organization);
        let (granted, _) = other.one(ask(REQUESTS, 10, 3)).await;
        assert!(!granted, "it is counted meanwhile");

        let with_budget = other.taken(vec![ask(REQUESTS, 10, 1), ask(KEY, 10, 1)]).await;
        assert_eq!(with_budget, Taken::Unseeded);
        assert!(counters.seed(organization, &[]).await.expect("it answers"));
        let (granted, _) = other.one(ask(REQUESTS, 10, 3)).await;
        assert!(!granted, "what was counted stays");
    }
}

#[tokio::test]
async fn nothing_is_answered_until_the_ledger_told_what_was_spent() {
    for counters in both() {
        let organization = OrganizationId::mint();
        let mut node = Node::new(&counters, organization);
        node.number = 1;
        let ends = counters.now().await.expect("it answers") + TimeDelta::days(1);
        let counting = Counting::Period(Period {
            from: ends - TimeDelta::days(1),
            to: ends,
        });
        let seed = |key: &str, part, spent| Seed {
            key: key.into(),
            counting,
            part,
            spent,
        };

        let mut asked_for = counters.seeds_asked_for();
        assert_eq!(asked_for.next(PATIENCE).await, Heard::Missed);
        let before = node.taken(vec![ask(KEY, 10, 1)]).await;
        assert_eq!(before, Taken::Unseeded);
        // Others may be asked for at the same time.
        let told = Heard::Tiding(organization.to_string());
        loop {
            let heard = asked_for.next(PATIENCE).await;
            assert_ne!(heard, Heard::Nothing, "nobody tells that it waits");
            if heard == told {
                break;
            }
        }
        assert!(
            counters
                .awaiting_seed()
                .await
                .expect("it answers")
                .contains(&organization)
        );
        assert_eq!(
            counters
                .correct(organization, &seed(KEY, 0, 1), Right::To)
                .await
                .expect("it answers"),
            None
        );

        let many: Vec<_> = (0..2500).map(|n| seed(&format!("one of many {n}"), 0, n)).collect();
        let seeds: Vec<_> = [seed(KEY, 0, 8)].into_iter().chain(many).collect();
        assert!(counters.seed(organization, &seeds).await.expect("it answers"));
        let again = counters
            .seed(organization, &[seed(KEY, 0, 0)])
            .await
            .expect("it answers");

        assert!(!again, "it must not be seeded twice: nodes may have reported since");
        assert!(
            !counters
                .awaiting_seed()
                .await
                .expect("it answers")
                .contains(&organization)
        );
        let (granted, answer) = node.one(ask(KEY, 10, 3)).await;
        assert!(!granted);
        assert_eq!(answer.spent, 8);
        assert!(node.one(ask(KEY, 10, 2)).await.0);
        assert_eq!(spent(&counters, organization, "one of many 2499").await, 2499);
    }
}

#[tokio::test]
async fn a_counter_is_put_right_and_forgotten() {
    for counters in both() {
        let organization = seeded(&counters).await;
        let right = |spent| Seed {
            key: KEY.into(),
            counting: Counting::Total,
            part: 0,
            spent,
        };
        let correct = |spent, how| {
            let counters = counters.clone();
            async move {
                counters
                    .correct(organization, &right(spent), how)
                    .await
                    .expect("it answers")
            }
        };

        assert_eq!(correct(10, Right::AtLeast).await, Some(10));
        assert_eq!(correct(7, Right::AtLeast).await, Some(0));
        assert_eq!(correct(7, Right::To).await, Some(-3));
        assert_eq!(spent(&counters, organization, KEY).await, 7);

        let keys: [Arc<str>; 1] = [KEY.into()];
        counters.forget(organization, &keys).await.expect("it answers");
        assert_eq!(standing(&counters, organization, KEY).await, CounterStanding::default());
    }
}

#[tokio::test]
async fn large_amounts_are_counted_to_the_last_unit() {
    for counters in both() {
        let organization = seeded(&counters).await;
        let mut node = Node::new(&counters, organization);
        let cap = 9_000_000_000_000_000;

        let (granted, answer) = node.one(ask(KEY, cap, cap - 1)).await;
        assert!(granted);
        assert_eq!(answer.lease, cap - 1);
        let all = CounterDemand {
            report: report(1, cap - 1),
            ..ask(KEY, cap, 1)
        };
        let (granted, answer) = node.one(all).await;
        assert!(granted);
        assert_eq!((answer.spent, answer.lease), (cap - 1, 1));
        assert_eq!(spent(&counters, organization, KEY).await, cap - 1);
    }
}

#[tokio::test]
async fn organizations_do_not_see_each_others_counters() {
    for counters in both() {
        let (ours, theirs) = (seeded(&counters).await, seeded(&counters).await);
        let (mut our_node, mut their_node) = (Node::new(&counters, ours), Node::new(&counters, theirs));

        assert!(our_node.one(ask(KEY, 10, 10)).await.0);
        assert!(their_node.one(ask(KEY, 10, 10)).await.0);
        assert_eq!(standing(&counters, theirs, KEY).await.leased.len(), 1);
    }
}
