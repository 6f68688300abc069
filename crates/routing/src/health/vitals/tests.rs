use gatewright_types::HumanDuration;

use super::*;

const LEASE: Duration = Duration::from_secs(60);

fn at(millis: u64) -> Moment {
    Moment(1_000_000).after(Duration::from_millis(millis))
}

fn call(vitals: &Arc<Vitals>, outcome: Outcome, now: Moment) -> Option<Transition> {
    vitals
        .begin(LEASE, now)
        .ended(outcome, &BreakerSettings::default(), now)
}

const WELL: Outcome = Outcome::Succeeded {
    first_token: Duration::from_millis(10),
};

#[test]
fn it_opens_on_the_rate_of_failures_and_not_before_there_are_enough() {
    let vitals = Arc::new(Vitals::default());
    for number in 0..9 {
        assert_eq!(call(&vitals, Outcome::Failed, at(number)), None, "{number}");
    }
    let opened = call(&vitals, Outcome::Failed, at(9));
    assert!(
        matches!(opened, Some(Transition::Opened(Opened { times: 0, .. }))),
        "{opened:?}"
    );
    assert!(vitals.try_begin(LEASE, at(10)).is_none());

    let steady = Arc::new(Vitals::default());
    for number in 0..100 {
        let outcome = if number % 5 < 3 { WELL } else { Outcome::Failed };
        assert_eq!(
            call(&steady, outcome, at(number)),
            None,
            "two of five is less than half"
        );
    }
}

#[test]
fn failures_of_long_ago_and_callers_mistakes_do_not_count() {
    let vitals = Arc::new(Vitals::default());
    for number in 0..9 {
        call(&vitals, Outcome::Failed, at(number));
    }
    for number in 0..50 {
        assert_eq!(call(&vitals, Outcome::Untold, at(10 + number)), None);
    }

    assert_eq!(
        call(&vitals, Outcome::Failed, at(40_000)),
        None,
        "the others are out of the window"
    );
    let tally = vitals.tally(at(40_000));
    assert_eq!((tally.requests, tally.failures), (1, 1));
}

#[test]
fn requests_wait_for_one_probe_of_the_gateways_own_and_for_no_longer_than_it_may_take() {
    const EVERY: Duration = Duration::from_secs(30);
    let open = || {
        let vitals = Arc::new(Vitals::default());
        for number in 0..10 {
            call(&vitals, Outcome::Failed, at(number));
        }
        vitals
    };
    let vitals = open();

    let awaited = [9, 15_008, 15_009, 45_008, 45_009].map(|millis| vitals.awaits_probe(EVERY, at(millis)));
    assert_eq!(awaited, [false, false, true, true, false]);

    vitals.note_probe(ProbeOutcome::TimedOut, at(9));
    assert!(vitals.awaits_probe(EVERY, at(16_000)), "that was before it opened");
    vitals.note_probe(ProbeOutcome::Unclear, at(16_000));
    assert!(!vitals.awaits_probe(EVERY, at(16_001)), "it found nothing out");

    let closed = open();
    let mut probe = closed.try_begin(LEASE, at(16_000)).expect("a probe");
    probe.ended(WELL, &BreakerSettings::default(), at(16_100));
    assert!(!closed.awaits_probe(EVERY, at(16_101)));
    assert_eq!(closed.answered(), Some(at(16_100)));
}

#[test]
fn a_provider_that_is_reached_says_nothing_of_how_fast_and_what_fails_takes_its_usual_number() {
    let vitals = Arc::new(Vitals::default());

    call(&vitals, Outcome::Reached, at(0));
    let opened: Vec<_> = (1..10)
        .map(|number| call(&vitals, Outcome::Failed, at(number)))
        .collect();

    assert_eq!((vitals.latency_micros(at(0)), vitals.answered()), (None, None));
    let opened_at: Vec<_> = (1..)
        .zip(opened)
        .filter(|(_, it)| it.is_some())
        .map(|(number, _)| number)
        .collect();
    assert_eq!(opened_at, [9], "with the tenth outcome");
}

#[test]
fn a_probe_closes_it_or_opens_it_again() {
    let vitals = Arc::new(Vitals::default());
    for number in 0..10 {
        call(&vitals, Outcome::Failed, at(number));
    }

    let mut probe = vitals.try_begin(LEASE, at(15_010)).expect("a probe");
    assert!(probe.is_probe() && vitals.try_begin(LEASE, at(15_010)).is_none());
    let failed = probe.ended(Outcome::Failed, &BreakerSettings::default(), at(15_010));
    assert!(
        matches!(failed, Some(Transition::Opened(Opened { times: 1, .. }))),
        "{failed:?}"
    );
    assert!(vitals.try_begin(LEASE, at(45_000)).is_none(), "twice as long");

    let mut probe = vitals.try_begin(LEASE, at(45_010)).expect("a probe");
    let closed = probe.ended(WELL, &BreakerSettings::default(), at(45_010));
    assert_eq!(closed, Some(Transition::Closed));
    assert_eq!(vitals.standing(at(45_010)), Standing::Closed);
    assert_eq!(vitals.tally(at(45_010)), Tally::default());
}

#[test]
fn a_probe_whose_caller_goes_away_makes_room() {
    let vitals = Arc::new(Vitals::default());
    for number in 0..10 {
        call(&vitals, Outcome::Failed, at(number));
    }

    drop(vitals.try_begin(LEASE, at(20_000)).expect("a probe"));
    assert!(vitals.try_begin(LEASE, at(20_001)).is_some());
    assert_eq!(vitals.in_flight(), 0);
}

#[test]
fn an_answer_that_breaks_off_is_one_failure_of_one_request() {
    let settings = BreakerSettings {
        error_rate: 100,
        min_requests: 2,
        open_for: HumanDuration::from_millis(1_000),
        ..BreakerSettings::default()
    };
    let vitals = Arc::new(Vitals::default());
    let broken = || {
        let mut call = vitals.begin(LEASE, at(0));
        call.ended(WELL, &settings, at(0));
        call.broke_off(&settings, at(1))
    };

    assert_eq!(broken(), None);
    assert!(matches!(broken(), Some(Transition::Opened(_))));
}

#[test]
fn tokens_of_the_last_minute_are_known() {
    let vitals = Vitals::default();
    vitals.used_tokens(100, at(0));
    vitals.used_tokens(20, at(30_000));

    assert_eq!(vitals.tokens_within_a_minute(at(30_000)), 120);
    assert_eq!(vitals.tokens_within_a_minute(at(70_000)), 20);
    assert_eq!(vitals.tokens_within_a_minute(at(200_000)), 0);
}
