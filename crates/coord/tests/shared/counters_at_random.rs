//! Counters under nodes that reserve, settle, report, lose answers and die in any order.

use gatewright_contract::Counting;
use gatewright_coord::{CounterAnswer, CounterDemand, Counters, Holder, Report, Right, Seed};
use gatewright_types::{NodeId, OrganizationId};
use proptest::prelude::{Strategy, any, prop, prop_oneof, proptest};
use proptest::test_runner::Config;

use crate::counters::{Node, both};

const CAP: i64 = 1000;
const NODES: usize = 3;

#[derive(Debug, Clone, Copy)]
enum Step {
    Reserve {
        amount: i64,
        wish: i64,
        lost: bool,
    },
    /// One of those under way, at a part of what it had reserved.
    Settle {
        which: usize,
        percent: i64,
    },
    Report {
        gives_back: bool,
        lost: bool,
    },
    /// The next one under the same name knows nothing; the ledger has what was spent.
    Die,
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        5 => (1..120_i64, 0..400_i64, prop::bool::weighted(0.1))
            .prop_map(|(amount, wish, lost)| Step::Reserve { amount, wish, lost }),
        5 => (any::<usize>(), 0..=100_i64).prop_map(|(which, percent)| Step::Settle { which, percent }),
        3 => (any::<bool>(), prop::bool::weighted(0.2)).prop_map(|(gives_back, lost)| Step::Report { gives_back, lost }),
        1 => proptest::strategy::Just(Step::Die),
    ]
}

/// As a node keeps it that never lets a request cost more than it has reserved.
struct Careful {
    node: Node,
    lease: i64,
    reserved: Vec<i64>,
    unreported: i64,
    reported: Option<Report>,
}

impl Careful {
    fn new(counters: &Counters, organization: OrganizationId) -> Self {
        Self {
            node: Node::new(counters, organization),
            lease: 0,
            reserved: Vec::new(),
            unreported: 0,
            reported: None,
        }
    }

    fn told(&self) -> i64 {
        self.reported
            .iter()
            .flat_map(|report| &report.parts)
            .map(|(_, spent)| spent)
            .sum()
    }

    fn reserved(&self) -> i64 {
        self.reserved.iter().sum()
    }

    async fn reserve(&mut self, amount: i64, wish: i64, lost: bool) -> Option<CounterAnswer> {
        if self.reserved() + self.unreported + self.told() + amount <= self.lease {
            self.reserved.push(amount);
            return None;
        }
        let (granted, answer) = self.call(amount, wish, false, lost).await?;
        if granted {
            self.reserved.push(amount);
        }
        Some(answer)
    }

    async fn call(&mut self, amount: i64, wish: i64, gives_back: bool, lost: bool) -> Option<(bool, CounterAnswer)> {
        if self.reported.is_none() && self.unreported > 0 {
            self.reported = Some(Report {
                number: self.node.number + 1,
                parts: vec![(0, std::mem::take(&mut self.unreported))],
            });
        }
        let outstanding = self.reserved() + self.unreported;
        let held = match gives_back {
            true => outstanding,
            false => (self.lease - self.told()).max(outstanding),
        };
        self.lease = self.lease.min(held + self.told());
        let demand = CounterDemand {
            key: "budget".into(),
            cap: CAP,
            counting: Counting::Total,
            carry: None,
            lasts: std::time::Duration::from_secs(600),
            report: self.reported.clone(),
            held,
            outstanding,
            required: if amount > 0 { outstanding + amount } else { 0 },
            wished: outstanding + amount + wish,
        };
        let (granted, answers) = self.node.take(vec![demand]).await;
        let answer = *answers.first().expect("one demand has one answer");
        if lost {
            return None;
        }
        self.lease = answer.lease;
        self.reported = None;
        Some((granted, answer))
    }
}

/// What every answer said, and what the counter has at the end.
async fn run(counters: &Counters, steps: &[(usize, Step)], names: &[NodeId]) -> Vec<CounterAnswer> {
    let organization = OrganizationId::mint();
    assert!(counters.seed(organization, &[]).await.expect("it answers"));
    let mut nodes: Vec<_> = (0..NODES).map(|_| Careful::new(counters, organization)).collect();
    for (node, name) in nodes.iter_mut().zip(names) {
        node.node.holder.node = *name;
    }
    let mut settled = 0;
    let mut heard = Vec::new();
    for (place, step) in steps {
        let node = nodes.get_mut(place % NODES).expect("there are so many");
        match *step {
            Step::Reserve { amount, wish, lost } => heard.extend(node.reserve(amount, wish, lost).await),
            Step::Settle { which, percent } if !node.reserved.is_empty() => {
                let which = which % node.reserved.len();
                let actual = node.reserved.swap_remove(which) * percent / 100;
                node.unreported += actual;
                settled += actual;
            }
            Step::Settle { .. } => {}
            Step::Report { gives_back, lost } => {
                heard.extend(node.call(0, 0, gives_back, lost).await.map(|(_, answer)| answer));
            }
            Step::Die => {
                let all = Seed {
                    key: "budget".into(),
                    counting: Counting::Total,
                    part: 0,
                    spent: settled - nodes_unreported(&nodes, place % NODES),
                };
                let _added = counters
                    .correct(organization, &all, Right::AtLeast)
                    .await
                    .expect("it answers");
                let node = nodes.get_mut(place % NODES).expect("there are so many");
                let Holder {
                    node: name,
                    incarnation,
                } = node.node.holder;
                *node = Careful::new(counters, organization);
                node.node.holder = Holder {
                    node: name,
                    incarnation: incarnation + 1,
                };
            }
        }
        let under_way: i64 = nodes.iter().map(Careful::reserved).sum();
        assert!(
            settled + under_way <= CAP,
            "{settled} are spent and {under_way} reserved of {CAP}"
        );
    }
    for node in &mut nodes {
        node.reserved.clear();
        for _ in 0..2 {
            heard.extend(node.call(0, 0, true, false).await.map(|(_, answer)| answer));
        }
        assert_eq!(node.lease, 0);
    }
    let standing = counters
        .standing(organization, &["budget".into()])
        .await
        .expect("it answers");
    let spent: i64 = standing.iter().flat_map(|standing| standing.parts.values()).sum();
    assert_eq!(spent, settled, "what was settled is what was counted");
    heard
}

/// What those nodes have not reported that did not die.
fn nodes_unreported(nodes: &[Careful], dying: usize) -> i64 {
    let living = nodes.iter().enumerate().filter(|(place, _)| *place != dying);
    living.map(|(_, node)| node.unreported).sum()
}

proptest! {
    #![proptest_config(Config { cases: 64, failure_persistence: None, ..Config::default() })]

    #[test]
    fn a_cap_holds_and_what_is_settled_is_counted(steps in prop::collection::vec((0..NODES, step()), 1..80)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
        runtime.block_on(async {
            let names: Vec<_> = (0..NODES).map(|_| NodeId::mint()).collect();
            let mut heard = Vec::new();
            for counters in both() {
                heard.push(run(&counters, &steps, &names).await);
            }
            if let [local, redis] = heard.as_slice() {
                assert_eq!(local, redis, "both answer alike");
            }
        });
    }
}
