//! A decision is kept with its request, so it is never long, however large the route.

use super::{AttemptEnd, Decision, DecisionError, Text, Verdict};

impl Decision {
    /// The longest that is kept, as JSON.
    pub const LONGEST_BYTES: usize = 16 << 10;
    /// No message is longer in what is kept.
    const LONGEST_MESSAGE: usize = 500;

    /// As JSON of at most `LONGEST_BYTES`. Where it is more, dropped candidates are left out first, then those that were
    /// last in turn, then the steps furthest from the root, then the attempts in the middle.
    pub fn into_json(mut self) -> String {
        self.shorten_texts();
        loop {
            let json = serde_json::to_string(&self).expect("a decision is made of what JSON has");
            if json.len() <= Self::LONGEST_BYTES {
                return json;
            }
            self.leave_out(json.len() - Self::LONGEST_BYTES);
        }
    }

    /// Takes out about as much as is too much, and something in any case.
    fn leave_out(&mut self, excess_bytes: usize) {
        let candidates = &mut self.route.candidates;
        if !candidates.is_empty() {
            self.left_out.candidates += shorten(candidates, excess_bytes);
        } else if !self.route.steps.is_empty() {
            self.left_out.steps += shorten(&mut self.route.steps, excess_bytes);
        } else if self.attempts.len() > 2 {
            // The first says what the route wanted, the last what became of it.
            let last = self.attempts.pop();
            let mut rest = self.attempts.split_off(1);
            self.left_out.attempts += shorten(&mut rest, excess_bytes);
            self.attempts.extend(rest.into_iter().chain(last));
        } else {
            // Names are far shorter than this is long, so one of these texts is what is not.
            self.model = None;
            self.looked_at = None;
            self.error = None;
            self.attempts.clear();
        }
    }

    fn shorten_texts(&mut self) {
        let steps = self.route.steps.iter_mut().map(|step| &mut step.why);
        let verdicts = self.route.candidates.iter_mut();
        let verdicts = verdicts.filter_map(|candidate| match &mut candidate.verdict {
            Verdict::Kept { why, .. } => why.as_mut(),
            Verdict::Dropped { why } => Some(why),
        });
        let attempts = self.attempts.iter_mut();
        let attempts = attempts.filter_map(|attempt| match &mut attempt.ended {
            AttemptEnd::Failed { message, .. } => Some(message),
            AttemptEnd::Answered { .. } | AttemptEnd::Abandoned => None,
        });
        let error = self.error.iter_mut().map(|DecisionError { message, .. }| message);
        for text in steps.chain(verdicts).chain(attempts).chain(error) {
            shorten_text(text, Self::LONGEST_MESSAGE);
        }
        if let Some(model) = &mut self.model {
            truncate(model, Self::LONGEST_MESSAGE);
        }
    }
}

/// Takes from the end what is about so many bytes, and gives how many those were.
fn shorten<T: serde::Serialize>(list: &mut Vec<T>, excess_bytes: usize) -> u32 {
    let mut freed = 0;
    let mut gone = 0;
    while freed < excess_bytes || gone == 0 {
        let Some(last) = list.pop() else { break };
        freed += serde_json::to_string(&last).map_or(0, |json| json.len());
        gone += 1;
    }
    gone
}

fn shorten_text(text: &mut Text, longest: usize) {
    if text.len() > longest {
        truncate(text.to_mut(), longest);
    }
}

fn truncate(text: &mut String, longest: usize) {
    if text.len() > longest {
        text.truncate(text.floor_char_boundary(longest));
        text.push('…');
    }
}
