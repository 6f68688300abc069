//! A failure that a caller wants to see, by a header of the request: `rate_limit`, `slow;delay=2s`,
//! `error;target=openai/gpt-4o`. Only for keys that were made for it, because what fails on purpose counts like what fails
//! by itself.

use gatewright_contract::{KeyEntry, UpstreamTarget};
use gatewright_llm::BadRequest;
use gatewright_types::api::{Fault, FaultKind};
use gatewright_types::{HumanDuration, Target};

use crate::refusal::Refusal;

/// One fault for all calls of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wished {
    fault: Fault,
    /// Where it happens; everywhere when absent.
    target: Option<Target>,
}

impl Wished {
    pub(crate) const HEADER: &str = "x-gw-fault";

    /// `sent` is the header's text. Whoever may not wish for any is told so whatever it says.
    pub(crate) fn read(sent: Option<&str>, key: &KeyEntry) -> Result<Option<Self>, Refusal> {
        match sent {
            None => Ok(None),
            Some(_) if !key.faults => Err(Refusal::FaultNotAllowed),
            Some(text) => Self::parse(text).map(Some),
        }
    }

    /// What is to happen to calls of this target.
    pub(crate) fn at(&self, target: &UpstreamTarget) -> Option<&Fault> {
        let is_there = self.target.as_ref().is_none_or(|wanted| *wanted == target.name());
        is_there.then_some(&self.fault)
    }

    fn parse(text: &str) -> Result<Self, Refusal> {
        let mut words = text.split(';').map(str::trim);
        let name = words.next().unwrap_or_default();
        let kind = FaultKind::ALL.iter().copied().find(|kind| kind.as_str() == name);
        let kind = kind.ok_or_else(|| refuse(&format!("{name:?} is not known; it may be {}", known())))?;
        let (mut delay, mut target) = (None, None);
        for word in words.filter(|word| !word.is_empty()) {
            match word.split_once('=') {
                Some(("delay", length)) if kind == FaultKind::Slow => {
                    let length = length.parse::<HumanDuration>();
                    delay = Some(length.map_err(|error| refuse(&format!("delay: {error}")))?);
                }
                Some(("delay", _)) => return Err(refuse("only slow has a delay")),
                Some(("target", name)) => {
                    let name = name.parse::<Target>();
                    target = Some(name.map_err(|error| refuse(&format!("target: {error}")))?);
                }
                _ => {
                    let message = format!("{word:?} is not known; it may be delay=DURATION or target=PROVIDER/MODEL");
                    return Err(refuse(&message));
                }
            }
        }
        let percent = 100;
        Ok(Self {
            fault: Fault { kind, percent, delay },
            target,
        })
    }
}

fn known() -> String {
    let names: Vec<_> = FaultKind::ALL.iter().map(|kind| kind.as_str()).collect();
    names.join(", ")
}

fn refuse(message: &str) -> Refusal {
    Refusal::BadRequest(BadRequest::new(format!("{}: {message}", Wished::HEADER)))
}

#[cfg(test)]
mod tests {
    use gatewright_types::{KeyId, OrganizationId};

    use super::*;

    fn read(text: &str, faults: bool) -> Result<Wished, String> {
        let key = KeyEntry {
            faults,
            ..KeyEntry::new(OrganizationId::mint(), KeyId::mint())
        };
        let wished = Wished::read(Some(text), &key).map_err(|refusal| refusal.message().into_owned())?;
        Ok(wished.expect("something is wished for"))
    }

    #[test]
    fn a_fault_is_one_of_those_of_routes_with_its_delay_and_its_target() {
        let wished = read("slow; delay=250ms ;target=first/gpt-4o", true).expect("it is known");

        assert_eq!(wished.fault.kind, FaultKind::Slow);
        assert_eq!(wished.fault.delay, Some(HumanDuration::from_millis(250)));
        assert_eq!(wished.target, Some("first/gpt-4o".parse().expect("a target")));
        for kind in FaultKind::ALL {
            assert_eq!(read(kind.as_str(), true).map(|wished| wished.fault.kind), Ok(*kind));
        }
    }

    #[test]
    fn what_is_not_known_is_told_with_what_is() {
        let told = |text| read(text, true).expect_err("it is refused");

        assert_eq!(
            told("explode"),
            "x-gw-fault: \"explode\" is not known; it may be rate_limit, error, stall, cut, malformed, slow"
        );
        assert_eq!(told("error;delay=2s"), "x-gw-fault: only slow has a delay");
        assert!(told("slow;delay=2").starts_with("x-gw-fault: delay: expected a duration"));
        assert!(told("error;target=first").starts_with("x-gw-fault: target: "));
        assert!(told("error;percent=3").contains("it may be delay=DURATION or target=PROVIDER/MODEL"));
        assert!(told("").contains("\"\" is not known"));
    }

    #[test]
    fn a_key_that_was_not_made_for_it_gets_none() {
        let told = [read("error", false), read("explode", false)];

        assert!(
            told.iter()
                .all(|told| told.as_ref().is_err_and(|message| message.contains("`faults`"))),
            "{told:?}"
        );
    }
}
